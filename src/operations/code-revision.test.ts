import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { codeRevision, parseStatus } from './code-revision.js'

const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }

it('knows the commit, the branch and whether tracked files were changed', async () => {
  const folder = await cx.env.temporaryDirectory()
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder.path,
      encoding: 'utf8',
    })
  git('init', '--quiet', '--initial-branch=trunk')
  expect(await codeRevision(cx, folder.path)).toBeUndefined()
  writeFileSync(join(folder.path, 'a'), '1')
  git('add', 'a')
  git('commit', '--quiet', '--message=one')
  const commit = git('rev-parse', 'HEAD').trim()
  writeFileSync(join(folder.path, 'untracked'), '1')
  expect(await codeRevision(cx, folder.path)).toEqual({ commit, branch: 'trunk', dirty: false })
  writeFileSync(join(folder.path, 'a'), '2')
  expect(await codeRevision(cx, folder.path)).toEqual({ commit, branch: 'trunk', dirty: true })
  git('checkout', '--quiet', '--detach')
  expect(await codeRevision(cx, folder.path)).toEqual({ commit, dirty: true })
  await folder.remove()
})

it('is absent outside a working copy', async () => {
  const folder = await cx.env.temporaryDirectory()
  expect(await codeRevision(cx, folder.path)).toBeUndefined()
  await folder.remove()
})

it('is absent where git says nothing that is known', () => {
  expect(parseStatus('')).toBeUndefined()
})
