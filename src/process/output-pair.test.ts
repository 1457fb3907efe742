import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Env } from '../env/env.js'
import { nodeEnv } from '../env/node-env.js'
import { outputPair } from './output-pair.js'

it('joins two ends, and leaves nothing in the file system', async () => {
  const base = await mkdtemp(join(tmpdir(), 'output-pair-'))
  try {
    let seen = ''
    const pair = await outputPair(inFolder(base), (data) => {
      seen += Buffer.from(data).toString()
      return true
    })
    if (pair === undefined) throw new Error('this machine makes no pair')
    expect(await readdir(base)).toEqual([])
    pair.theirs.end('what was said')
    await new Promise((resolve) => pair.ours.once('close', resolve))
    expect(seen).toBe('what was said')
    expect(pair.ours.readableEnded).toBe(true)
  } finally {
    await rm(base, { recursive: true })
  }
})

it('is left out where a path is too long for a socket', async () => {
  const base = await mkdtemp(join(tmpdir(), 'output-pair-'))
  try {
    expect(await outputPair(inFolder(join(base, 'x'.repeat(120))), () => true)).toBeUndefined()
  } finally {
    await rm(base, { recursive: true })
  }
})

/** A machine whose temporary folders are made here. */
function inFolder(base: string): Env {
  return {
    ...nodeEnv(),
    async temporaryDirectory() {
      const path = join(base, 'folder')
      await mkdir(path, { recursive: true })
      return {
        path,
        writeFile: () => Promise.reject(new Error('not wanted')),
        remove: () => rm(path, { recursive: true }),
      }
    },
  }
}
