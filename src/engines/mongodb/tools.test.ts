import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TemporaryDirectory } from '../../env/env.js'
import { scratchContext, scratchTools } from './test-connector.js'
import { findTool } from './tools.js'

let folder: TemporaryDirectory
beforeEach(async () => {
  folder = await scratchContext().env.temporaryDirectory()
})
afterEach(() => folder.remove())

async function program(says: string, at = 'mongodump'): Promise<string> {
  const path = join(folder.path, at)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`)
  await chmod(path, 0o755)
  return path
}

const context = (path: string) => {
  const cx = scratchContext()
  return { ...cx, env: { ...cx.env, variables: { PATH: path } } }
}
const { dumpCommand: _dump, restoreCommand: _restore, ...unconfigured } = scratchTools({ binDirectory: '' })

it('finds the first in PATH and its version', async () => {
  const first = await program('mongodump version: 100.12.0', 'a/mongodump')
  await program('mongodump version: 100.3.0', 'b/mongodump')
  const path = `${join(folder.path, 'none')}:${join(folder.path, 'a')}:${join(folder.path, 'b')}`
  const tool = await findTool(context(path), 'mongodump', unconfigured)
  expect(tool).toEqual({
    facts: { name: 'mongodump', version: '100.12.0', path: first },
    command: [first],
  })
})

it('takes what is configured', async () => {
  const path = await program('mongodump version: r100.7.0', 'own')
  const tool = await findTool(context(''), 'mongodump', { ...unconfigured, dumpCommand: [path] })
  expect(tool.facts.path).toBe(path)
})

it('says what to install, or to do without', async () => {
  const missing = findTool(context(folder.path), 'mongorestore', {
    ...unconfigured,
    restoreCommand: [join(folder.path, 'mongorestore')],
  })
  await expect(missing).rejects.toMatchObject({ code: 'tool.missing' })
})

it('refuses tools that cannot be given a password privately', async () => {
  for (const version of ['4.2.0', '100.2.1']) {
    const path = await program(`mongodump version: ${version}`)
    const found = findTool(context(''), 'mongodump', { ...unconfigured, dumpCommand: [path] })
    await expect(found, version).rejects.toMatchObject({ code: 'tool.too-old' })
  }
  const unnumbered = await program('mongodump version: built-without-version-string')
  await findTool(context(''), 'mongodump', { ...unconfigured, dumpCommand: [unnumbered] })
})

it('a program that says no version is none of these', async () => {
  const path = await program('hello')
  const found = findTool(context(''), 'mongodump', { ...unconfigured, dumpCommand: [path] })
  await expect(found).rejects.toMatchObject({ code: 'tool.failed' })
})
