import { expect, it } from 'vitest'
import { ChunkPool, releaseChunk } from './chunk-pool.js'

it('a chunk that is given back is used again', () => {
  const pool = new ChunkPool(1024)
  const chunk = pool.take()
  expect(chunk.length).toBe(1024)
  expect(pool.take()).not.toBe(chunk)
  releaseChunk(chunk)
  expect(pool.take()).toBe(chunk)
})

it('a chunk given back twice is one chunk', () => {
  const pool = new ChunkPool(1024)
  const chunk = pool.take()
  releaseChunk(chunk)
  releaseChunk(chunk)
  expect(pool.take()).toBe(chunk)
  expect(pool.take()).not.toBe(chunk)
})

it('buffers of no pool, and views of chunks, are left alone', () => {
  const pool = new ChunkPool(1024)
  const chunk = pool.take()
  releaseChunk(Buffer.alloc(1024))
  releaseChunk(chunk.subarray(0, 10))
  releaseChunk(chunk.subarray())
  expect(pool.take()).not.toBe(chunk)
})
