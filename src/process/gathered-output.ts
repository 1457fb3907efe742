import { Readable } from 'node:stream'
import { ChunkPool } from '../streams/chunk-pool.js'

/** A dump tool writes some 10 KB at a time; what follows works best on large chunks. */
const chunkBytes = 4 * 1024 * 1024

/** Chunks for outputs. */
export function gatheredChunks(): ChunkPool {
  return new ChunkPool(chunkBytes)
}

/** Where output comes from. */
export interface OutputSource {
  /** Lets more come, after `push` has said that it is enough. */
  resume(): void
  /** Ends the source, since nobody reads any more; resolves or rejects when it has ended. */
  stop(): Promise<unknown>
}

/** Gathers what comes into chunks of 4 MiB, where nothing else is said, which may be given back (`releaseChunk`). */
export class GatheredOutput {
  readonly stdout: Readable
  readonly #pool: ChunkPool
  #chunk: Buffer
  #filled = 0

  /** @param pool where the chunks come from: several outputs may share one */
  constructor(source: OutputSource, pool = gatheredChunks()) {
    this.#pool = pool
    this.#chunk = pool.take()
    this.stdout = new Readable({
      // Of bytes a reader would be given all that wait as one new buffer.
      objectMode: true,
      highWaterMark: 1,
      read: () => source.resume(),
      destroy(error, done) {
        source.stop().then(
          () => done(error),
          () => done(error),
        )
      },
    })
    // A program may fail before anybody has begun to read; whoever begins then is told.
    this.stdout.on('error', () => undefined)
  }

  /** Copies what has come. @returns false where that is enough for now */
  push(data: Uint8Array): boolean {
    const { chunkBytes } = this.#pool
    let wanted = true
    for (let taken = 0; taken < data.length;) {
      const copied = Math.min(data.length - taken, chunkBytes - this.#filled)
      this.#chunk.set(data.subarray(taken, taken + copied), this.#filled)
      taken += copied
      this.#filled += copied
      if (this.#filled === chunkBytes) wanted = this.#pushFull() && wanted
    }
    return wanted
  }

  /** The program has ended well, and all it printed has come. */
  end(): void {
    if (this.stdout.destroyed) return
    if (this.#filled > 0) this.stdout.push(this.#pool.beginning(this.#chunk, this.#filled))
    this.stdout.push(null)
  }

  #pushFull(): boolean {
    const full = this.#chunk
    this.#chunk = this.#pool.take()
    this.#filled = 0
    return this.stdout.push(full)
  }
}
