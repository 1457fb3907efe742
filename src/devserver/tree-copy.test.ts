import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Context } from '../env/context.js'
import { fakeEnv } from '../testing/fake-env.js'
import { syncTree } from './tree-copy.js'

function contextWith(path: string): Context {
  const env = fakeEnv({ variables: { PATH: path } })
  return { env, signal: new AbortController().signal, emit: () => undefined }
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'holdfast-tree-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  await mkdir(join(made, 'below'))
  for (const name of ['one', join('below', 'two')]) await writeFile(join(made, name), name)
  return made
}

it('a folder is waited for with the program that does it, and without', async () => {
  const made = await folder()
  await syncTree(contextWith(process.env['PATH'] ?? ''), made)
  await syncTree(contextWith(join(made, 'no-programs')), made)
})

it('a folder that cannot be read is an error, whichever way it is waited for', async () => {
  const gone = join(await folder(), 'gone')
  for (const path of [process.env['PATH'] ?? '', '/no-programs'])
    await expect(syncTree(contextWith(path), gone)).rejects.toMatchObject({ code: 'ENOENT' })
})
