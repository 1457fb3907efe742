import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { asHoldfastError } from '../errors.js'
import type { Storage, StoredObject } from '../storages/storage.js'
import { pathTest } from './globs.js'
import { endOfArchive, headerOf } from './tar/encode.js'
import { paddingOf } from './tar/entry.js'
import type { Archive, ArchiveFacts } from './tools.js'

const zeros = Buffer.alloc(64 * 1024)
/** Objects have neither owner nor mode. */
const plainMode = 0o644

/** The objects of a storage as a tar archive, by their keys. @throws (its stream) storage.* where the storage cannot be listed */
export function archiveStorage(
  cx: Context,
  storage: Storage,
  patterns: { readonly include: readonly string[]; readonly exclude: readonly string[] },
): Archive {
  const warnings: string[] = []
  const counts = { entries: 0, bytes: 0, changed: 0, unreadable: 0 }
  const included = patterns.include.length === 0 ? () => true : pathTest(patterns.include)
  const excluded = pathTest(patterns.exclude)

  async function* archive(): AsyncGenerator<Buffer> {
    for await (const object of storage.list(cx, '')) {
      if (!included(object.key) || excluded(object.key)) continue
      const body = await opened(object)
      if (body === undefined) continue
      counts.entries += 1
      counts.bytes += object.bytes
      yield headerFor(object)
      yield* exactly(object, body)
      yield endOfArchive.subarray(0, paddingOf(object.bytes))
    }
    yield endOfArchive
  }

  /** Undefined for an object that was removed meanwhile, or cannot be read. */
  async function opened(object: StoredObject): Promise<Readable | undefined> {
    try {
      return await storage.get(cx, object.key)
    } catch (thrown) {
      cx.signal.throwIfAborted()
      const { code, message } = asHoldfastError(thrown)
      if (code !== 'storage.not-found' && code !== 'storage.denied') throw thrown
      counts[code === 'storage.denied' ? 'unreadable' : 'changed'] += 1
      warnings.push(
        code === 'storage.denied' ? message : `${object.key} was removed while the storage was read`,
      )
      return undefined
    }
  }

  /** As many bytes as the header has said: what has grown is cut, what has shrunk is filled with zeros. */
  async function* exactly({ key, bytes }: StoredObject, body: Readable): AsyncGenerator<Buffer> {
    let left = bytes
    let surplus = false
    for await (const chunk of body as AsyncIterable<Buffer>) {
      surplus = chunk.length > left
      if (left > 0) yield chunk.subarray(0, left)
      left -= Math.min(left, chunk.length)
      if (surplus) break
    }
    if (surplus || left > 0) {
      counts.changed += 1
      warnings.push(`${key} changed while it was read`)
    }
    for (; left > 0; left -= Math.min(left, zeros.length)) yield zeros.subarray(0, left)
  }

  let told: (facts: ArchiveFacts) => void
  const facts = new Promise<ArchiveFacts>((resolve) => {
    told = resolve
  })
  const bytes = Readable.from(archive(), { objectMode: false, highWaterMark: 1024 * 1024 })
  bytes.once('end', () => told({ ...counts, warnings }))
  return { bytes, facts }
}

function headerFor({ key, bytes, modified }: StoredObject): Buffer {
  return headerOf({
    path: Buffer.from(key),
    type: 'file',
    mode: plainMode,
    uid: 0,
    gid: 0,
    size: bytes,
    modifiedNs: BigInt(modified.getTime()) * 1_000_000n,
  })
}
