import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { nodeEnv } from './node-env.js'
import { redact, Secret } from './secret.js'

it('FAILURES 71: a secret prints as *** everywhere', () => {
  const secret = new Secret('hunter22')
  expect(
    `${secret.toString()} ${JSON.stringify({ secret })} ${inspect({ deep: { secret } }, { showHidden: true })}`,
  ).not.toContain('hunter22')
  expect(secret.reveal()).toBe('hunter22')
  expect(redact('login of hunter22 at hunter22', [secret])).toBe('login of *** at ***')
})

it.skipIf(process.platform === 'win32')('FAILURES 77: temporary folders and files are private', async () => {
  const folder = await nodeEnv().temporaryDirectory()
  const file = await folder.writeFile('passfile', 'secret')
  expect(statSync(folder.path).mode & 0o777).toBe(0o700)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toBe('secret')
  await expect(folder.writeFile('passfile', 'again')).rejects.toMatchObject({ code: 'EEXIST' })
  await folder.remove()
  expect(existsSync(folder.path)).toBe(false)
})

it('FAILURES 7: removes the temporary folders of processes that were killed', async () => {
  const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim()
  const left = join(tmpdir(), `holdfast-${dead}-left`)
  mkdirSync(left)
  const folder = await nodeEnv().temporaryDirectory()
  expect(existsSync(left)).toBe(false)
  await folder.remove()
})
