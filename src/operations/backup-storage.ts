import type { Readable } from 'node:stream'
import { artifactKey } from '../catalog/keys.js'
import type { Manifest, ManifestPart } from '../catalog/manifest.js'
import type { PendingRecord } from '../catalog/pending.js'
import type { Dump, DumpFacts, DumpFormat, DumpPart } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ObjectKey } from '../storages/storage.js'
import { backupHold, type Hold } from './backup-leases.js'
import type { NamedStage } from './encoding.js'
import { writeArtifact, type EncodedPart } from './artifact-writer.js'
import { fanOut } from './fan-out.js'
import { numberedFilename } from './filename.js'
import type { OpenStorage } from './open-storages.js'
import { shared } from './limits.js'
import { takeParts } from './parts-at-once.js'
import { PartsProgress } from './parts-progress.js'
import type { PortableBeside } from './portable-beside.js'
import type { FailedStorage } from './reports.js'

export interface BackupTarget {
  readonly id: string
  /** Of the database, or of the set of files. */
  readonly alias: string
  readonly format: DumpFormat
  readonly stages: readonly NamedStage[]
  readonly totalBytes?: number
  /** A portable dump is its last part; a backup can do without it. */
  readonly portable?: PortableBeside
}

/** With so many backups of one name, the name is the problem. */
const mostNumbers = 10_000

/** A backup as it lies in one storage. */
export interface StoredCopy {
  readonly open: OpenStorage
  readonly manifest: Manifest
  readonly storedName: string
}

export interface StoredCopies {
  /** At least one. */
  readonly stored: readonly [StoredCopy, ...StoredCopy[]]
  readonly failed: readonly FailedStorage[]
}

/** A copy in the making. What fails in its storage takes it out, and leaves the others alone. */
interface Copy {
  readonly open: OpenStorage
  readonly name: string
  readonly keys: ObjectKey[]
  readonly hold: Hold
  /** In the order of the dump, whichever came to its end first. */
  readonly parts: ManifestPart[]
  /** The latest note of what is about to be written: one after the other, so that the last one names all. */
  noted: Promise<void>
  error?: HoldfastError
}

/**
 * Reserves a name in each storage, starts the dump, stores every part of it in all of them at once, reads back what they have,
 * and commits the manifests. A storage that fails is left behind with nothing of the backup in it; where the dump fails, or the
 * last storage, nothing stays anywhere.
 * @throws what failed, of the only storage as it is
 */
export async function storeParts(
  cx: Context,
  storages: readonly OpenStorage[],
  target: BackupTarget & { readonly filename: string },
  start: () => Promise<Dump>,
  manifestOf: (dump: DumpFacts) => Promise<Omit<Manifest, 'parts'>>,
): Promise<StoredCopies> {
  const failed: FailedStorage[] = []
  const copies: Copy[] = []
  const dropFailed = async () => {
    for (const copy of copies.filter(({ error }) => error !== undefined)) {
      copies.splice(copies.indexOf(copy), 1)
      failed.push(failureOf(copy))
      await withdraw(cx, target, copy)
    }
    if (copies.length === 0) throw allFailed(failed)
  }
  try {
    for (const open of storages) {
      try {
        copies.push({
          open,
          name: await reserveFilename(cx, open, target),
          hold: await backupHold(cx, open, target.alias, target.id),
          keys: [],
          parts: [],
          noted: Promise.resolve(),
        })
      } catch (thrown) {
        cx.signal.throwIfAborted()
        failed.push({ storage: open.name, error: asHoldfastError(thrown) })
      }
    }
    await dropFailed()
    const dump = await start()
    const progress = new PartsProgress(cx, {
      subject: target.alias,
      phase: 'dump',
      ...(target.totalBytes === undefined ? {} : { totalBytes: target.totalBytes }),
    })
    const parts = await takeParts(shared(cx, dump.concurrency ?? 1), dump, async (partCx, part, index) => {
      await storePart(partCx, copies, target, { part, index, progress })
      if (copies.every(({ error }) => error !== undefined)) throw allFailed(copies.map(failureOf))
    })
    // Not before all parts have ended: none of them may still be writing there.
    await dropFailed()
    if (parts === 0) throw new HoldfastError('integrity.empty', `the dump of ${target.alias} has no parts`)
    const facts = await manifestOf(await dump.facts())
    const stored: StoredCopy[] = []
    for (const copy of [...copies]) {
      const { catalog } = copy.open
      const manifest = { ...facts, parts: copy.parts }
      const committed = await trying(cx, copy, () => catalog.commit(cx, manifest))
      if (committed === undefined) continue
      // From here on it is a backup: whatever becomes of the others, it stays.
      copies.splice(copies.indexOf(copy), 1)
      await Promise.all([catalog.settle(cx, recordOf(cx, target, copy)), copy.hold.release()])
      stored.push({ open: copy.open, manifest: committed, storedName: copy.name })
    }
    const [first, ...others] = stored
    if (first === undefined) await dropFailed()
    for (const copy of copies.splice(0)) {
      failed.push(failureOf(copy))
      await withdraw(cx, target, copy)
    }
    if (first === undefined) throw unknownError()
    return { stored: [first, ...others], failed }
  } catch (error) {
    for (const copy of copies) await withdraw(cx, target, copy)
    throw error
  }
}

function failureOf({ open, error = unknownError() }: Copy): FailedStorage {
  return { storage: open.name, error }
}

function unknownError(): HoldfastError {
  return new HoldfastError('internal.unexpected', 'a copy of the backup is lost without an error')
}

/** One storage's error as it is; those of several as one, which names each. */
function allFailed(failed: readonly FailedStorage[]): HoldfastError {
  const [first, ...others] = failed
  if (first === undefined) return unknownError()
  if (others.length === 0) return first.error
  const message = failed.map(({ storage, error }) => `${storage}: ${error.message}`).join('; ')
  return new HoldfastError(first.error.code, message, { cause: first.error, hint: first.error.hint })
}

/** What goes wrong with one copy is its own error; an interruption is everybody's. */
async function trying<Result>(
  cx: Context,
  copy: Copy,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work()
  } catch (thrown) {
    cx.signal.throwIfAborted()
    copy.error = asHoldfastError(thrown)
    return undefined
  }
}

function recordOf(
  cx: Context,
  target: BackupTarget,
  { name, keys }: { readonly name: string; readonly keys: readonly ObjectKey[] },
): PendingRecord {
  const started = cx.env.clock.now().toISOString()
  return { formatVersion: 1, name, id: target.id, alias: target.alias, started, keys }
}

/** A dump of one part is one file; each of several parts has its own in a folder. A portable dump is to be opened by its name. */
function keyPart({ name, role }: DumpPart, { portable, stages }: BackupTarget): string | undefined {
  if (role === 'portable') return name + stages.map(({ extension }) => extension).join('')
  return role === 'dump' && portable === undefined ? undefined : name
}

async function storePart(
  cx: Context,
  copies: readonly Copy[],
  target: BackupTarget,
  { part, index, progress }: { part: DumpPart; index: number; progress: PartsProgress },
): Promise<void> {
  const keys = new Map<Copy, ObjectKey>()
  for (const copy of copies) {
    if (copy.error !== undefined) continue
    const key = artifactKey(target.alias, copy.name, keyPart(part, target))
    copy.keys.push(key)
    keys.set(copy, key)
    copy.noted = copy.noted.then(() =>
      trying(cx, copy, () => copy.open.catalog.announce(cx, recordOf(cx, target, copy))),
    )
    // Whoever notes something next does not care how this ended.
    const noted = copy.noted
    copy.noted = noted.catch(() => undefined)
    await noted
  }
  const living = [...keys].filter(([copy]) => copy.error === undefined)
  if (living.length === 0) {
    part.bytes.destroy()
    return
  }
  let encoded: EncodedPart
  try {
    encoded = await writeArtifact(
      cx,
      part,
      target.format,
      target.stages.map(({ stage }) => stage),
      progress,
      (bytes) =>
        fanOut(
          bytes,
          living.map(
            ([copy, key]) =>
              (branch) =>
                put(cx, copy, key, branch),
          ),
          () => allFailed(living.map(([copy]) => failureOf(copy))),
        ),
    )
  } catch (error) {
    if (part.role !== 'portable' || target.portable?.failure() === undefined || cx.signal.aborted) throw error
    await leaveOut(cx, living)
    return
  }
  for (const [copy, key] of living) {
    if (copy.error !== undefined) continue
    await trying(cx, copy, () => readBack(cx, copy.open, key, encoded))
    copy.parts[index] = {
      name: part.name,
      role: part.role,
      ...(part.table === undefined ? {} : { table: part.table }),
      plain: encoded.plain,
      stages: encoded.stages,
      stored: { key, ...encoded.stored },
    }
  }
}

/** The part itself has failed, and no storage: the backup goes on without it. */
async function leaveOut(cx: Context, living: readonly (readonly [Copy, ObjectKey])[]): Promise<void> {
  for (const [copy, key] of living) {
    delete copy.error
    await trying(cx, copy, () => copy.open.storage.delete(cx, key))
    copy.keys.splice(copy.keys.indexOf(key), 1)
  }
}

async function put(cx: Context, copy: Copy, key: ObjectKey, bytes: Readable): Promise<void> {
  try {
    await copy.open.storage.put(cx, key, bytes, { createOnly: true, retain: true })
  } catch (thrown) {
    copy.error = asHoldfastError(thrown)
    // Somebody else's object: it must not be removed with what this run leaves.
    if (copy.error.code === 'storage.exists') copy.keys.splice(copy.keys.indexOf(key), 1)
    throw thrown
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
    const record = recordOf(cx, target, { name: numberedFilename(target.filename, number), keys: [] })
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
  const [file, folderIsEmpty] = await Promise.all([
    open.storage.stat(cx, key),
    isEmpty(open.storage.list(cx, `${key}/`)),
  ])
  return file === undefined && folderIsEmpty
}

async function isEmpty(objects: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _object of objects) return false
  return true
}

/** Clean-up must not hide the error that made it necessary; what it cannot remove is swept by a later run. */
async function withdraw(cx: Context, target: BackupTarget, copy: Copy): Promise<void> {
  const uninterrupted: Context = { ...cx, signal: new AbortController().signal }
  const record = recordOf(cx, target, copy)
  await copy.hold.release()
  try {
    await copy.open.catalog.abandon(uninterrupted, record)
  } catch (error) {
    const { message } = asHoldfastError(error)
    cx.emit({
      type: 'notice',
      level: 'warning',
      message: `${record.keys.join(', ')} could not be removed from ${copy.open.name}: ${message}`,
    })
  }
}
