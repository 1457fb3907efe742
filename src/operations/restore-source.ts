import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import type { Manifest } from '../catalog/manifest.js'
import { nativeParts } from '../catalog/parts.js'
import type { ConnectorFactory, DumpFormat, RestorePart, RestoreSource } from '../engine/connector.js'
import type { Engine } from '../engine/engine.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { StageKind } from '../stages/stage.js'
import { connected } from '../streams/connect.js'
import { measuring, type Observer } from '../streams/measure.js'
import {
  drain,
  headOf,
  keysFor,
  progressObserver,
  readArtifact,
  readStored,
  type Decoding,
} from './artifact-reader.js'
import { paced } from './limits.js'
import type { OpenStorage } from './open-storages.js'
import { PartsProgress } from './parts-progress.js'
import type { StoredBackup } from './reports.js'

/** Where a restore takes its data from: found, and checked as far as it can be without decoding all of it. */
export interface FoundSource {
  /** The id of a backup, or the path of a file. */
  readonly name: string
  readonly filename: string
  readonly storage?: string
  readonly manifest?: Manifest
  readonly storedBytes?: number
  readonly source: RestoreSource
  /** The first bytes of the dump, decoded: proof that the key fits, and what the format is recognised by. */
  readonly head: Uint8Array
  /** For the person who is to confirm. */
  readonly warnings?: readonly string[]
  /** A part to be looked at before anything is changed; as `source.open`, but for what it tells of its progress. */
  examine(part: RestorePart): Promise<Readable>
  /** Reads the artifact once, to its end, before anything is changed. @throws integrity.* */
  check(cx: Context, format: DumpFormat): Promise<void>
}

const headBytes = 4096
/** More were not put on a dump by anybody who wants it back. */
export const mostStages = 8

/** A backup of the catalog. @throws integrity.*, key.missing */
export async function sourceOfBackup(
  cx: Context,
  open: OpenStorage,
  { manifest, storage, distrust }: StoredBackup,
  decoding: Decoding,
): Promise<FoundSource> {
  if (distrust !== undefined) throw distrust
  const parts = nativeParts(manifest)
  const total = parts.reduce((sum, part) => sum + part.plain.bytes, 0)
  const partOf = (name: string) => {
    const part = parts.find((candidate) => candidate.name === name)
    if (part === undefined)
      throw new HoldfastError('integrity.missing-artifact', `${manifest.id} has no part ${name}`)
    return part
  }
  const [first] = parts
  if (first === undefined) throw new HoldfastError('integrity.manifest', `${manifest.id} has no parts`)
  const progress = (phase: 'restore' | 'check', totalBytes: number) =>
    new PartsProgress(cx, { subject: manifest.id, phase, totalBytes })
  const [restored, examined] = [progress('restore', total), progress('check', total)]
  const openPart = ({ name }: RestorePart, of: PartsProgress) =>
    readArtifact(cx, open.storage, partOf(name), decoding, of.observer(name))
  const source: RestoreSource = {
    parts: parts.map(({ name, role, table, plain }) => ({
      name,
      role,
      plainBytes: plain.bytes,
      ...(table === undefined ? {} : { table }),
    })),
    open: (part) => openPart(part, restored),
  }
  return {
    name: manifest.id,
    filename: first.stored.key.split('/').slice(0, 2).join('/'),
    storage,
    manifest,
    storedBytes: parts.reduce((sum, part) => sum + part.stored.bytes, 0),
    source,
    head: await headOf(await readArtifact(cx, open.storage, first, decoding), headBytes),
    examine: (part) => openPart(part, examined),
    async check() {
      const stored = parts.reduce((sum, part) => sum + part.stored.bytes, 0)
      const checked = progress('check', stored)
      for (const part of parts)
        await drain(await readStored(cx, open.storage, part, checked.observer(part.name)))
    },
  }
}

/**
 * A file that was made elsewhere: its compression and encryption are recognised. There is no digest to compare with, so it
 * is decoded once to its end before anything is changed.
 */
export async function sourceOfFile(
  cx: Context,
  file: string,
  name: string,
  decoding: Decoding,
): Promise<FoundSource> {
  const path = resolve(cx.env.workingDirectory, file)
  const { size } = await stat(path).catch((error: unknown) => {
    throw new HoldfastError('usage.backup-not-found', `${name} is not there`, { cause: error })
  })
  if (size === 0) throw new HoldfastError('integrity.empty', `${name} is empty`)
  const { kinds, head } = await recogniseStages(cx, path, decoding)
  const part: RestorePart = { name: 'dump', role: 'dump' }
  return {
    name,
    filename: basename(path),
    storedBytes: size,
    source: {
      parts: [part],
      open: () =>
        Promise.resolve(openDecoded(cx, path, kinds, decoding, progressObserver(cx, name, 'restore'))),
    },
    head,
    examine: () =>
      Promise.resolve(openDecoded(cx, path, kinds, decoding, progressObserver(cx, name, 'check'))),
    async check(_cx, format) {
      const checker = format.checker()
      const structure = { push: (chunk: Uint8Array) => checker.push(chunk), end: () => checker.end() }
      await drain(openDecoded(cx, path, kinds, decoding, progressObserver(cx, name, 'check'), structure))
    },
  }
}

/** Peels stages off until what is left begins like none of them. */
export async function recogniseStages(
  cx: Context,
  path: string,
  decoding: Decoding,
): Promise<{ readonly kinds: readonly StageKind[]; readonly head: Uint8Array }> {
  const kinds: StageKind[] = []
  for (;;) {
    const head = await headOf(openDecoded(cx, path, kinds, decoding), headBytes)
    const kind = decoding.kinds.find((candidate) => candidate.recognises(head))
    if (kind === undefined) return { kinds, head }
    if (kinds.length === mostStages) {
      throw new HoldfastError(
        'integrity.format',
        `${basename(path)} is compressed or encrypted more than ${mostStages} times`,
      )
    }
    kinds.push(kind)
  }
}

function openDecoded(
  cx: Context,
  path: string,
  kinds: readonly StageKind[],
  { keys }: Decoding,
  ...observers: readonly Observer[]
): Readable {
  const source = createReadStream(path, { highWaterMark: 1024 * 1024 })
  const decoders: Duplex[] = kinds.map((kind) =>
    kind.create(undefined, keysFor(basename(path), keys)).decode(cx, {}),
  )
  return connected([source, ...decoders, ...paced(cx), measuring(...observers).through], cx.signal)
}

/** The connector that reads a dump: the one the manifest names, or the one that recognises the first bytes. */
export function connectorFor(
  found: FoundSource,
  configured: ConnectorFactory,
  engine: Engine,
): ConnectorFactory {
  const { manifest } = found
  const available = [configured, ...Object.values(engine.connectors)]
  if (manifest === undefined) {
    const recognised = available.find(({ format }) => format.recognises(found.head))
    if (recognised !== undefined) return recognised
    const other = engine.otherDump?.(found.head)
    if (other !== undefined)
      throw new HoldfastError('usage.not-supported', `${found.name} is ${other.what}`, { hint: other.hint })
    throw new HoldfastError('integrity.format', `${found.name} is not a dump that ${engine.name} can read`, {
      hint: 'name the database it is for, and check that the file is a dump of that engine',
    })
  }
  const named = available.find(({ name }) => name === manifest.connector)
  if (named?.format.name === manifest.format) return named
  throw new HoldfastError(
    'usage.not-supported',
    `backup ${manifest.id} is a ${manifest.connector} dump of ${manifest.engine}; ${engine.name} cannot restore it`,
    { hint: `restore it into a database of ${manifest.engine}` },
  )
}
