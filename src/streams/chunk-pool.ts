/** Where the chunks came from that are on their way. */
const origins = new WeakMap<Uint8Array, { readonly pool: ChunkPool; readonly chunk: Buffer }>()

/**
 * Chunks whose memory is used again. Fresh memory for each chunk of a large dump made the garbage collector take a quarter of
 * the processor's time: V8 marks the whole heap for every 16 MiB of buffers.
 *
 * Whoever is the last to use a chunk may give it back with {@link releaseChunk}; whoever does not leaves it to the collector,
 * as any other buffer.
 */
export class ChunkPool {
  readonly chunkBytes: number
  readonly #free: Buffer[] = []

  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes
  }

  /** A chunk whose bytes are arbitrary. */
  take(): Buffer {
    const chunk = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.chunkBytes)
    origins.set(chunk, { pool: this, chunk })
    return chunk
  }

  /** The beginning of a chunk, to be given back in its place. */
  beginning(chunk: Buffer, length: number): Buffer {
    const view = chunk.subarray(0, length)
    origins.delete(chunk)
    origins.set(view, { pool: this, chunk })
    return view
  }

  /** For `releaseChunk`. */
  giveBack(chunk: Buffer): void {
    this.#free.push(chunk)
  }
}

/**
 * Says that nobody needs a chunk's bytes any more: they are overwritten soon. To be called only by the end of a line of streams
 * that has kept no view of them. A buffer of no pool, or one given back already, is left alone.
 */
export function releaseChunk(chunk: Buffer): void {
  const origin = origins.get(chunk)
  origins.delete(chunk)
  origin?.pool.giveBack(origin.chunk)
}
