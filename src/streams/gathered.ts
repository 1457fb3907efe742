import { releaseChunk, type ChunkPool } from './chunk-pool.js'

/** The same bytes in full chunks of a pool, the last excepted: for what works best on much at a time. */
export async function* gathered(pieces: AsyncIterable<Buffer>, pool: ChunkPool): AsyncGenerator<Buffer> {
  let chunk = pool.take()
  let filled = 0
  for await (const piece of pieces) {
    for (let taken = 0; taken < piece.length;) {
      const copied = piece.copy(chunk, filled, taken)
      taken += copied
      filled += copied
      if (filled < pool.chunkBytes) continue
      yield chunk
      chunk = pool.take()
      filled = 0
    }
  }
  if (filled > 0) yield pool.beginning(chunk, filled)
  else releaseChunk(chunk)
}
