import { releaseChunk, type ChunkPool } from './chunk-pool.js'

/** What a chunk may lack to be full: a character's bytes stay together. */
export const characterBytes = 3

/** Text as UTF-8, in chunks of a pool that are full but for `characterBytes` at most, the last excepted. */
export async function* textChunks(texts: AsyncIterable<string>, pool: ChunkPool): AsyncGenerator<Buffer> {
  const encoder = new TextEncoder()
  let chunk = pool.take()
  let filled = 0
  for await (const text of texts) {
    for (let rest = text; ;) {
      const { read, written } = encoder.encodeInto(rest, chunk.subarray(filled))
      filled += written
      if (read === rest.length) break
      rest = rest.slice(read)
      yield pool.beginning(chunk, filled)
      chunk = pool.take()
      filled = 0
    }
  }
  if (filled > 0) yield pool.beginning(chunk, filled)
  else releaseChunk(chunk)
}
