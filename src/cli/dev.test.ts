import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { runHere } from './fixture.js'

const folder = mkdtempSync(join(tmpdir(), 'dev-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function dev(...words: readonly string[]) {
  return runHere(['dev', ...words], { workingDirectory: folder, homeDirectory: folder })
}

/** What a command says with `--json`. */
async function documentOf(...words: readonly string[]): Promise<unknown> {
  const { code, stdout } = await dev(...words, '--json')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

it('the commands of a development server tell its state, and lose data only where that is confirmed', async () => {
  expect((await dev('status', '--engine', 'sqlite')).stderr).toContain('[devserver.not-found]')
  const which = { engine: 'sqlite', name: 'main' }
  expect(await documentOf('init', '--engine', 'sqlite')).toMatchObject(which)
  expect(await documentOf('status')).toMatchObject({ ...which, state: 'running', answers: true })
  expect((await dev('status')).stdout).toMatch(/^running {2}sqlite main\n/u)
  const backup = { name: 'one', id: expect.any(String) as string }
  expect(await documentOf('backup', 'one')).toMatchObject(backup)
  expect(await documentOf('backups')).toMatchObject({ backups: [backup] })
  for (const command of ['reinit', 'destroy', 'restore'])
    expect(await dev(command)).toMatchObject({
      code: 8,
      stderr: expect.stringContaining('[refused.not-confirmed]') as string,
    })
  expect(await documentOf('reinit', '--yes')).toMatchObject(which)
  expect(await documentOf('restore', 'one', '--yes')).toMatchObject(which)
  expect(await documentOf('logs', '--lines', '5')).toMatchObject({ lines: [] })
  expect((await dev('logs', '--lines', 'all')).code).toBe(2)
  expect(await documentOf('list')).toMatchObject({ servers: [which] })
  expect(await documentOf('destroy', '--yes')).toMatchObject({ destroyed: true })
  // What is left of it is its backup.
  expect(await documentOf('list')).toMatchObject({ servers: [{ ...which, state: 'empty' }] })
  expect(await documentOf('destroy', '--yes', '--backups')).toMatchObject({ destroyed: true })
  expect((await dev('list')).stdout).toContain('no development servers')
})
