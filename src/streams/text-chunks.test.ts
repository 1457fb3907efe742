import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ChunkPool, releaseChunk } from './chunk-pool.js'
import { characterBytes, textChunks } from './text-chunks.js'

async function* given(texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) yield await Promise.resolve(text)
}

it('makes full chunks of any texts, and the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 30 })), async (texts) => {
      const pool = new ChunkPool(8)
      const lengths: number[] = []
      const bytes: number[] = []
      for await (const chunk of textChunks(given(texts), pool)) {
        lengths.push(chunk.length)
        bytes.push(...chunk)
        releaseChunk(chunk)
      }
      expect(Buffer.from(bytes).toString()).toBe(texts.join(''))
      expect(lengths.slice(0, -1).every((length) => length >= 8 - characterBytes)).toBe(true)
      expect(lengths.at(-1)).not.toBe(0)
    }),
  )
})
