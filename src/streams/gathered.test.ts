import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ChunkPool, releaseChunk } from './chunk-pool.js'
import { gathered } from './gathered.js'

async function* given(pieces: readonly Uint8Array[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece))
}

it('gathers any pieces into full chunks, and the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 30 })), async (pieces) => {
      const pool = new ChunkPool(8)
      const lengths: number[] = []
      const bytes: number[] = []
      for await (const chunk of gathered(given(pieces), pool)) {
        lengths.push(chunk.length)
        bytes.push(...chunk)
        releaseChunk(chunk)
      }
      expect(bytes).toEqual(pieces.flatMap((piece) => [...piece]))
      expect(lengths.slice(0, -1).every((length) => length === 8)).toBe(true)
      expect(lengths.at(-1)).not.toBe(0)
    }),
  )
})
