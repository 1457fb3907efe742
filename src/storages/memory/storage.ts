import { Readable, Writable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { connect } from '../../streams/connect.js'
import { measuring } from '../../streams/measure.js'
import { clipRange } from '../byte-range.js'
import { compareKeys } from '../object-key.js'
import { destroySource, sourceError } from '../source.js'
import type {
  ByteRange,
  ObjectKey,
  PutOptions,
  Storage,
  StorageCapabilities,
  StoredObject,
} from '../storage.js'

export interface MemoryObject {
  readonly chunks: readonly Buffer[]
  readonly bytes: number
  readonly sha256: string
  readonly modified: Date
}

/** Objects in a map, with the promises of any other storage. */
export class MemoryStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    atomicPut: true,
    createOnly: true,
    ranges: true,
    checksums: true,
    deduplicates: false,
    volatile: true,
  }
  readonly #name: string
  readonly #objects: Map<ObjectKey, MemoryObject>

  constructor(name: string, objects: Map<ObjectKey, MemoryObject>) {
    this.#name = name
    this.#objects = objects
  }

  describe(): string {
    return `memory ${this.#name}`
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    try {
      this.#refuseExisting(key, options)
      const chunks: Buffer[] = []
      const measure = measuring()
      const sink = new Writable({
        write(chunk: Buffer, _encoding, done) {
          // A copy: whoever wrote the chunk may use its memory again.
          chunks.push(Buffer.from(chunk))
          done()
        },
      })
      await connect([body, measure.through, sink], cx.signal)
      cx.signal.throwIfAborted()
      this.#refuseExisting(key, options)
      this.#objects.set(key, { chunks, ...measure.result(), modified: cx.env.clock.now() })
      return this.#stored(key) as StoredObject
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? error
    }
  }

  get(cx: Context, key: ObjectKey, range?: ByteRange): Promise<Readable> {
    return new Promise((resolve) => {
      cx.signal.throwIfAborted()
      const object = this.#objects.get(key)
      if (object === undefined) {
        throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, {
          details: { key },
        })
      }
      const { start, end } = clipRange(range, object.bytes)
      resolve(Readable.from(slices(object.chunks, start, end), { objectMode: false, signal: cx.signal }))
    })
  }

  stat(_cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    return Promise.resolve(this.#stored(key))
  }

  async *list(cx: Context, prefix: string): AsyncIterable<StoredObject> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys)
    for (const key of keys) {
      cx.signal.throwIfAborted()
      const stored = this.#stored(key)
      if (stored !== undefined) yield await Promise.resolve(stored)
    }
  }

  delete(_cx: Context, key: ObjectKey): Promise<void> {
    this.#objects.delete(key)
    return Promise.resolve()
  }

  /** An interrupted put leaves nothing here. */
  sweep(): Promise<number> {
    return Promise.resolve(0)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #stored(key: ObjectKey): StoredObject | undefined {
    const object = this.#objects.get(key)
    if (object === undefined) return undefined
    return { key, bytes: object.bytes, sha256: object.sha256, modified: object.modified }
  }

  #refuseExisting(key: ObjectKey, options: PutOptions): void {
    if (options.createOnly !== true || !this.#objects.has(key)) return
    throw new HoldfastError('storage.exists', `${key} is in ${this.describe()} already`, { details: { key } })
  }
}

/** Copies, so that no reader can change what is stored. */
function* slices(chunks: readonly Buffer[], start: number, end: number): Generator<Buffer> {
  let offset = 0
  for (const chunk of chunks) {
    const from = Math.max(start - offset, 0)
    const to = Math.min(end - offset, chunk.length)
    if (from < to) yield Buffer.from(chunk.subarray(from, to))
    offset += chunk.length
    if (offset >= end) return
  }
}
