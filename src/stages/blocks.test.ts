import { describe, expect, it } from 'vitest'
import { blocks } from './blocks.js'

async function* chunksOf(lengths: readonly number[]): AsyncGenerator<Buffer> {
  for (const length of lengths) yield await Promise.resolve(Buffer.alloc(length, length))
}

async function lengthsOf(chunks: readonly number[], whole?: number): Promise<readonly number[]> {
  const found: number[] = []
  for await (const block of blocks(chunksOf(chunks), 10, whole)) found.push(block.length)
  return found
}

describe('blocks of a stream', () => {
  it('are gathered until they are long enough', async () => {
    expect(await lengthsOf([4, 4, 4, 10, 3, 9, 1])).toEqual([12, 10, 12, 1])
  })

  it('are single chunks, where those are as long as is said', async () => {
    expect(await lengthsOf([5, 6, 4, 5, 1, 5], 5)).toEqual([5, 6, 10, 5])
  })

  it('are one without bytes, where there is nothing', async () => {
    expect(await lengthsOf([])).toEqual([0])
  })
})
