import { artifactKey } from '../catalog/keys.js'
import type { Manifest, ManifestPart } from '../catalog/manifest.js'
import type { PendingRecord } from '../catalog/pending.js'
import type { DatabaseSettings } from '../config/settings.js'
import type { Dump, DumpFacts, DumpFormat, DumpPart } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ObjectKey } from '../storages/storage.js'
import type { NamedStage } from './encoding.js'
import { writeArtifact, type EncodedPart } from './artifact-writer.js'
import { numberedFilename } from './filename.js'
import type { OpenStorage } from './open-storages.js'

export interface BackupTarget {
  readonly id: string
  readonly database: DatabaseSettings
  readonly format: DumpFormat
  readonly stages: readonly NamedStage[]
  readonly totalBytes?: number
}

/** With so many backups of one name, the name is the problem. */
const mostNumbers = 10_000

/**
 * Reserves a name, starts the dump, stores every part of it, reads back what the storage has, and commits the manifest. When
 * anything fails, nothing of the backup stays in the storage.
 */
export async function storeParts(
  cx: Context,
  open: OpenStorage,
  target: BackupTarget & { readonly filename: string },
  start: () => Promise<Dump>,
  manifestOf: (parts: readonly ManifestPart[], dump: DumpFacts) => Promise<Manifest>,
): Promise<{ readonly manifest: Manifest; readonly storedName: string }> {
  const storedName = await reserveFilename(cx, open, target)
  const keys: ObjectKey[] = []
  const record = () => ({ ...recordOf(cx, target, storedName), keys })
  try {
    const dump = await start()
    const parts: ManifestPart[] = []
    for await (const part of dump.parts) {
      const key = artifactKey(target.database.alias, storedName, keyPart(part))
      keys.push(key)
      await open.catalog.announce(cx, record())
      parts.push(await storePart(cx, open, target, part, key, keys))
    }
    if (parts.length === 0)
      throw new HoldfastError('integrity.empty', `the dump of ${target.database.alias} has no parts`)
    const manifest = await manifestOf(parts, await dump.facts())
    await open.catalog.commit(cx, manifest, record())
    return { manifest, storedName }
  } catch (error) {
    await withdraw(cx, open, record())
    throw error
  }
}

function recordOf(cx: Context, target: BackupTarget, name: string): PendingRecord {
  const started = cx.env.clock.now().toISOString()
  return { formatVersion: 1, name, id: target.id, alias: target.database.alias, started, keys: [] }
}

/** A dump of one part is one file; each of several parts has its own in a folder. */
function keyPart(part: DumpPart): string | undefined {
  return part.role === 'dump' ? undefined : part.name
}

async function storePart(
  cx: Context,
  open: OpenStorage,
  target: BackupTarget,
  part: DumpPart,
  key: ObjectKey,
  keys: ObjectKey[],
): Promise<ManifestPart> {
  const encoded = await writeArtifact(
    cx,
    part,
    target.format,
    target.stages.map(({ stage }) => stage),
    {
      subject: target.database.alias,
      ...(target.totalBytes === undefined ? {} : { totalBytes: target.totalBytes }),
    },
    async (bytes) => {
      try {
        await open.storage.put(cx, key, bytes, { createOnly: true })
      } catch (error) {
        // Somebody else's object: it must not be removed with what this run leaves.
        if (asHoldfastError(error).code === 'storage.exists') keys.splice(keys.indexOf(key), 1)
        throw error
      }
    },
  )
  await readBack(cx, open, key, encoded)
  return {
    name: part.name,
    role: part.role,
    ...(part.table === undefined ? {} : { table: part.table }),
    plain: encoded.plain,
    stages: encoded.stages,
    stored: { key, ...encoded.stored },
  }
}

/** An upload that "succeeded" may be short: what counts is what the storage has. */
async function readBack(
  cx: Context,
  open: OpenStorage,
  key: ObjectKey,
  { stored }: EncodedPart,
): Promise<void> {
  const object = await open.storage.stat(cx, key)
  if (object === undefined) {
    throw new HoldfastError('storage.failed', `${key} is not in ${open.name} after it was written`, {
      details: { key },
    })
  }
  if (object.bytes !== stored.bytes) {
    throw new HoldfastError(
      'storage.failed',
      `${key} has ${object.bytes} bytes in ${open.name}; ${stored.bytes} were written`,
      { details: { key } },
    )
  }
  if (object.sha256 !== undefined && object.sha256 !== stored.sha256) {
    throw new HoldfastError('integrity.checksum', `${key} in ${open.name} differs from what was written`, {
      details: { key },
    })
  }
}

/** A name that neither a backup nor another run has: the wanted one, or the wanted one with a number. */
async function reserveFilename(
  cx: Context,
  open: OpenStorage,
  target: BackupTarget & { readonly filename: string },
): Promise<string> {
  for (let number = 1; number <= mostNumbers; number++) {
    const record = recordOf(cx, target, numberedFilename(target.filename, number))
    try {
      await open.catalog.reserve(cx, record)
    } catch (error) {
      if (asHoldfastError(error).code === 'storage.exists') continue
      throw error
    }
    if (await isFree(cx, open, artifactKey(record.alias, record.name))) return record.name
    await open.catalog.abandon(cx, record)
  }
  throw new HoldfastError(
    'storage.exists',
    `${target.filename} and ${mostNumbers} numbered names are taken in ${open.name}`,
  )
}

async function isFree(cx: Context, open: OpenStorage, key: ObjectKey): Promise<boolean> {
  if ((await open.storage.stat(cx, key)) !== undefined) return false
  for await (const _object of open.storage.list(cx, `${key}/`)) return false
  return true
}

/** Clean-up must not hide the error that made it necessary; what it cannot remove is swept by a later run. */
async function withdraw(cx: Context, open: OpenStorage, record: PendingRecord): Promise<void> {
  const uninterrupted: Context = { ...cx, signal: new AbortController().signal }
  try {
    await open.catalog.abandon(uninterrupted, record)
  } catch (error) {
    const { message } = asHoldfastError(error)
    cx.emit({
      type: 'notice',
      level: 'warning',
      message: `${record.keys.join(', ')} could not be removed: ${message}`,
    })
  }
}
