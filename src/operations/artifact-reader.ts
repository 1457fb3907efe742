import type { Duplex, Readable } from 'node:stream'
import type { ManifestPart } from '../catalog/manifest.js'
import type { Context, ProgressEvent } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { KeyRing, StageKind } from '../stages/stage.js'
import { objectKey } from '../storages/object-key.js'
import type { Storage } from '../storages/storage.js'
import { connected } from '../streams/connect.js'
import { measuring, type Measure, type Observer } from '../streams/measure.js'
import { paced } from './limits.js'

/** How artifacts are decoded: the known stages, and where their keys are. */
export interface Decoding {
  readonly kinds: readonly StageKind[]
  readonly keys: KeyRing
}

/**
 * The dump inside an artifact. The stream ends cleanly only when the stored bytes and the decoded bytes both have the sizes
 * and digests of the manifest.
 * @throws integrity.missing-artifact, storage.*, integrity.newer-format for a stage that this version does not know
 */
export async function readArtifact(
  cx: Context,
  storage: Storage,
  part: ManifestPart,
  decoding: Decoding,
  ...observers: readonly Observer[]
): Promise<Readable> {
  const decoders = decodersOf(cx, part, decoding)
  const stored = measuring(sameAs(part.stored, `artifact ${part.stored.key}`))
  const plain = measuring(...observers, sameAs(part.plain, `the dump in ${part.stored.key}`))
  const source = await openArtifact(cx, storage, part)
  return connected([source, stored.through, ...decoders, ...paced(cx), plain.through], cx.signal)
}

/** The stored bytes alone, compared with the manifest at their end; needs no key. */
export async function readStored(
  cx: Context,
  storage: Storage,
  part: ManifestPart,
  ...observers: readonly Observer[]
): Promise<Readable> {
  const stored = measuring(...observers, sameAs(part.stored, `artifact ${part.stored.key}`))
  return connected([await openArtifact(cx, storage, part), ...paced(cx), stored.through], cx.signal)
}

async function openArtifact(cx: Context, storage: Storage, part: ManifestPart): Promise<Readable> {
  const { key } = part.stored
  try {
    const object = await storage.stat(cx, objectKey(key))
    if (object !== undefined && object.bytes !== part.stored.bytes) {
      throw new HoldfastError(
        object.bytes < part.stored.bytes ? 'integrity.truncated' : 'integrity.checksum',
        `artifact ${key} has ${object.bytes} bytes; the manifest says ${part.stored.bytes}`,
        { details: { key } },
      )
    }
    return await storage.get(cx, objectKey(key))
  } catch (thrown) {
    const error = asHoldfastError(thrown)
    if (error.code !== 'storage.not-found') throw error
    throw new HoldfastError('integrity.missing-artifact', `artifact ${key} is not in the storage`, {
      cause: error,
      details: { key },
    })
  }
}

function decodersOf(cx: Context, part: ManifestPart, { kinds, keys }: Decoding): readonly Duplex[] {
  return part.stages.toReversed().map(({ id, facts }) => {
    const kind = kinds.find((candidate) => candidate.id === id)
    if (kind === undefined) {
      throw new HoldfastError('integrity.newer-format', `artifact ${part.stored.key} needs the stage ${id}`, {
        details: { key: part.stored.key, stage: id },
      })
    }
    return kind.create(undefined, keysFor(part.stored.key, keys)).decode(cx, facts)
  })
}

/** The same keys, with the name of what they are to open for the errors. */
export function keysFor(subject: string, keys: KeyRing): KeyRing {
  return {
    subject,
    identities: () => keys.identities(),
    passphrase: () => keys.passphrase(),
  }
}

function sameAs(expected: Measure, what: string): Observer {
  return {
    end(actual) {
      if (actual.bytes < expected.bytes) {
        throw new HoldfastError(
          'integrity.truncated',
          `${what} ends after ${actual.bytes} of ${expected.bytes} bytes`,
        )
      }
      if (actual.bytes !== expected.bytes || actual.sha256 !== expected.sha256) {
        throw new HoldfastError('integrity.checksum', `${what} differs from what was written`, {
          details: { expected: expected.sha256, actual: actual.sha256 },
        })
      }
    },
  }
}

/** Tells how far the reading has come. */
export function progressObserver(
  cx: Context,
  subject: string,
  phase: ProgressEvent['phase'],
  totalBytes?: number,
): Observer {
  const total = totalBytes === undefined ? {} : { totalBytes }
  return {
    push: (_chunk, bytes) => cx.emit({ type: 'progress', subject, phase, bytes, ...total }),
    end: ({ bytes }) => cx.emit({ type: 'progress', subject, phase, bytes, ...total, done: true }),
  }
}

/** Reads a stream to its end and drops what it gives. */
export async function drain(stream: Readable): Promise<void> {
  for await (const _chunk of stream);
}

/** The first bytes of a stream, at least `length` where there are as many; the rest is not read. */
export async function headOf(stream: Readable, length: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes >= length) break
  }
  return Buffer.concat(chunks)
}
