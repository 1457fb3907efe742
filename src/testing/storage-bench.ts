import { strict as assert } from 'node:assert'
import { createCipheriv, createHash } from 'node:crypto'
import { getEventListeners, setMaxListeners } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import type { ErrorCode } from '../errors.js'
import { objectKey } from '../storages/object-key.js'
import type { ByteRange, PutOptions, Storage, StoredObject } from '../storages/storage.js'

/** A storage at work in a check: keys as texts, bytes as buffers. */
export class StorageBench {
  readonly storage: Storage
  readonly cx: Context

  /** @param signal ends the work before its time; nobody else listens to it */
  constructor(storage: Storage, signal: AbortSignal = new AbortController().signal) {
    this.storage = storage
    this.cx = { env: nodeEnv(), signal, emit: () => undefined }
    // Many things at once listen to it here.
    setMaxListeners(0, this.cx.signal)
  }

  /** Nothing waits for an interruption any more, once everything that has ended has had its turn. */
  async leftNoListeners(): Promise<void> {
    const listeners = (): number => getEventListeners(this.cx.signal, 'abort').length
    for (let turn = 0; turn < 1000 && listeners() > 0; turn++) await setImmediate()
    assert.equal(listeners(), 0, 'listeners stay on the signal')
  }

  /** The same work, to be stopped by a signal. */
  contextWith(signal: AbortSignal): Context {
    return { ...this.cx, signal }
  }

  /** The same work, so much later. */
  contextAfter(ms: number): Context {
    const { env } = this.cx
    return { ...this.cx, env: { ...env, clock: { now: () => new Date(env.clock.now().getTime() + ms) } } }
  }

  put(key: string, body: Buffer | Readable, options?: PutOptions): Promise<StoredObject> {
    return this.storage.put(this.cx, objectKey(key), Buffer.isBuffer(body) ? inChunks(body) : body, options)
  }

  get(key: string, range?: ByteRange): Promise<Readable> {
    return this.storage.get(this.cx, objectKey(key), range)
  }

  async read(key: string, range?: ByteRange): Promise<Buffer> {
    return buffer(await this.get(key, range))
  }

  stat(key: string): Promise<StoredObject | undefined> {
    return this.storage.stat(this.cx, objectKey(key))
  }

  delete(key: string): Promise<void> {
    return this.storage.delete(this.cx, objectKey(key))
  }

  async list(prefix = ''): Promise<StoredObject[]> {
    const objects: StoredObject[] = []
    for await (const object of this.storage.list(this.cx, prefix)) objects.push(object)
    return objects
  }

  async keys(prefix = ''): Promise<string[]> {
    return (await this.list(prefix)).map(({ key }) => key)
  }

  /** The object is this one, however it is asked for. */
  async holds(key: string, bytes: Buffer): Promise<void> {
    assert(bytes.equals(await this.read(key)), `${key} gives other bytes`)
    assert.equal((await this.stat(key))?.bytes, bytes.length, `the size of ${key}`)
    const listed = (await this.list(key)).find((object) => object.key === key)
    assert.equal(listed?.bytes, bytes.length, `the size of ${key} in the list`)
  }

  /** There is no such object, however it is asked for. */
  async lacks(key: string): Promise<void> {
    assert.equal(await this.stat(key), undefined, `${key} is there`)
    assert.deepEqual(await this.keys(key), [], `${key} is listed`)
    await rejectsWith(this.read(key), 'storage.not-found')
  }
}

/** What some services cannot do, and say so in their capabilities. */
export type StorageNeed = 'createOnly' | 'ranges'

/** One promise, and how it is checked. */
export interface StorageCheck {
  readonly name: string
  /** Capabilities without which there is no such promise. */
  readonly needs?: StorageNeed
  check(bench: StorageBench): Promise<void>
}

export async function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, { name: 'HoldfastError', code })
}

/** Bytes without a pattern, the same for the same seed. */
export function noise(length: number, seed = 0): Buffer {
  const key = createHash('md5').update(String(seed)).digest()
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** As a tool or a stage gives them: in pieces of 64 KiB. */
export function inChunks(bytes: Buffer): Readable {
  let position = 0
  return new Readable({
    read() {
      const chunk = bytes.subarray(position, (position += 65_536))
      this.push(chunk.length === 0 ? null : chunk)
    },
  })
}

/** Noise that is made as it is asked for, 64 KiB at a time. */
export function flow(
  chunks: number,
  onChunk: (chunk: Buffer, count: number) => void = () => undefined,
): Readable {
  let given = 0
  return new Readable({
    read() {
      if (given === chunks) {
        this.push(null)
        return
      }
      const chunk = noise(65_536, given)
      given += 1
      onChunk(chunk, given)
      this.push(chunk)
    },
  })
}

/** A source that gives some bytes and then waits for what the test decides. */
export interface HeldSource {
  readonly body: Readable
  /** Resolves when all bytes so far have been taken and more are asked for. */
  readonly taken: Promise<void>
  end(): void
  fail(error: Error): void
}

export function heldSource(bytes: Buffer): HeldSource {
  let position = 0
  let nowTaken: () => void
  const taken = new Promise<void>((resolve) => (nowTaken = resolve))
  const body = new Readable({
    read() {
      const chunk = bytes.subarray(position, (position += 65_536))
      if (chunk.length > 0) this.push(chunk)
      else nowTaken()
    },
  })
  return { body, taken, end: () => body.push(null), fail: (error) => body.destroy(error) }
}

/** How many bytes of buffers are in use, when what is not needed any more has been given back. */
export function bytesInUse(): number {
  // Twice: the first time may leave what was given back still to be counted.
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().external
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
