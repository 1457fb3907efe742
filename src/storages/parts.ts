import { Writable, type Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { ChunkPool, releaseChunk } from '../streams/chunk-pool.js'
import { connect } from '../streams/connect.js'

/** How an object whose length nobody knows is cut. */
export interface PartPlan {
  /** The size of each part but the last, by its place from 0 on. */
  bytesOf(index: number): number
  /** How many parts of that size are on their way at once. */
  atOnce(bytes: number): number
}

export interface Part {
  /** From 0 on. */
  readonly index: number
  /** Its memory is used again when `send` has ended. */
  readonly bytes: Buffer
  /** Nothing comes after it; the first may be the last, and then empty. */
  readonly last: boolean
}

/** @param cx ends when the work ends: also when the source or another part has failed */
type Send = (part: Part, cx: Context) => Promise<void>

/**
 * Cuts a stream into parts and sends several at once. In memory are the parts that are on their way and the one that grows.
 * When this has ended, no `send` runs any more.
 * @throws the first error: of the source as it is, of `send`, or the signal's reason
 */
export async function sendParts(cx: Context, body: Readable, plan: PartPlan, send: Send): Promise<void> {
  const sender = new PartSender(plan, send, cx)
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      sender.take(chunk).then(() => done(), done)
    },
    final(done) {
      sender.end().then(() => done(), done)
    },
    destroy(error, done) {
      sender.stop(error).then(() => done(error), done)
    },
  })
  // A part that fails while the source rests.
  sender.onFailure = (error) => sink.destroy(error)
  try {
    await connect([body, sink], cx.signal)
  } finally {
    await sender.stop(null)
  }
}

class PartSender {
  readonly #plan: PartPlan
  readonly #send: Send
  readonly #stopped = new AbortController()
  readonly #cx: Context
  readonly #running = new Set<Promise<void>>()
  #growing: GrowingPart
  #pool: ChunkPool
  #index = 0
  onFailure: (error: Error) => void = () => undefined

  constructor(plan: PartPlan, send: Send, cx: Context) {
    this.#plan = plan
    this.#send = send
    this.#cx = { ...cx, signal: AbortSignal.any([cx.signal, this.#stopped.signal]) }
    this.#pool = new ChunkPool(plan.bytesOf(0))
    this.#growing = new GrowingPart(plan.bytesOf(0))
  }

  async take(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0;) {
      // Only now is it known that the full one is not the last.
      if (this.#growing.full) await this.#sendGrowing(false)
      rest = rest.subarray(this.#growing.add(rest))
    }
    releaseChunk(chunk)
  }

  async end(): Promise<void> {
    await this.#sendGrowing(true)
    await Promise.all(this.#running)
  }

  async stop(error: Error | null): Promise<void> {
    this.#stopped.abort(error ?? undefined)
    await Promise.allSettled(this.#running)
  }

  async #sendGrowing(last: boolean): Promise<void> {
    const index = this.#index++
    const bytes = this.#growing.bytes()
    const most = this.#plan.atOnce(bytes.length)
    while (this.#running.size >= most) await Promise.race(this.#running)
    this.#cx.signal.throwIfAborted()
    const memory = this.#growing.memory
    const sending: Promise<void> = this.#send({ index, bytes, last }, this.#cx).finally(() => {
      this.#running.delete(sending)
      releaseChunk(memory)
    })
    this.#running.add(sending)
    sending.catch(this.onFailure)
    if (!last) this.#growing = this.#nextPart(this.#plan.bytesOf(this.#index))
  }

  #nextPart(bytes: number): GrowingPart {
    if (this.#pool.chunkBytes !== bytes) this.#pool = new ChunkPool(bytes)
    return new GrowingPart(bytes, this.#pool.take())
  }
}

/** Not much for the many small objects, and no copying for the large. */
const firstMemoryBytes = 64 * 1024

class GrowingPart {
  readonly #limit: number
  #memory: Buffer
  #length = 0

  constructor(limit: number, memory: Buffer = Buffer.allocUnsafeSlow(Math.min(limit, firstMemoryBytes))) {
    this.#limit = limit
    this.#memory = memory
  }

  get full(): boolean {
    return this.#length === this.#limit
  }

  get memory(): Buffer {
    return this.#memory
  }

  /** How many bytes of the chunk have found room. */
  add(chunk: Buffer): number {
    const wanted = Math.min(this.#length + chunk.length, this.#limit)
    if (wanted > this.#memory.length) this.#grow(wanted)
    const taken = chunk.copy(this.#memory, this.#length)
    this.#length += taken
    return taken
  }

  bytes(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  #grow(wanted: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(wanted, this.#memory.length * 4), this.#limit))
    this.#memory.copy(larger, 0, 0, this.#length)
    this.#memory = larger
  }
}
