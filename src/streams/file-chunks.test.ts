import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { releaseChunk } from './chunk-pool.js'
import { fileChunks } from './file-chunks.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-chunks-'))
})
afterAll(() => rm(folder, { recursive: true }))

it.each([0, 1, 4 * 1024 * 1024, 13 * 1024 * 1024 + 7])('gives all of a file of %d bytes', async (bytes) => {
  const path = join(folder, 'file')
  const content = Buffer.alloc(bytes, 'all of it, byte for byte; ')
  await writeFile(path, content)
  const parts: Buffer[] = []
  for await (const chunk of fileChunks(path)) {
    parts.push(Buffer.from(chunk as Buffer))
    releaseChunk(chunk as Buffer)
  }
  expect(Buffer.concat(parts).equals(content)).toBe(true)
})

it('a file that is not there is an error', async () => {
  const read = async () => {
    for await (const _chunk of fileChunks(join(folder, 'nothing')));
  }
  await expect(read()).rejects.toMatchObject({ code: 'ENOENT' })
})

it('whoever stops reading closes the file', async () => {
  const path = join(folder, 'large')
  await writeFile(path, Buffer.alloc(20 * 1024 * 1024))
  const stream = fileChunks(path)
  for await (const _chunk of stream) break
  expect(stream.destroyed).toBe(true)
  await rm(path)
})
