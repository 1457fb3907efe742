import { readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TemporaryDirectory } from '../../env/env.js'
import { Secret } from '../../env/secret.js'
import { secretsOf, writeConfigFile } from './config-file.js'
import { scratchContext } from './test-connector.js'

let folder: TemporaryDirectory
beforeEach(async () => {
  folder = await scratchContext().env.temporaryDirectory()
})
afterEach(() => folder.remove())

const settings = { engine: 'mongodb', name: 'shop', host: 'h', parameters: {} }

it.skipIf(process.platform === 'win32')('FAILURES 77: the config file is private', async () => {
  const path = await writeConfigFile(folder, { ...settings, user: 'me', password: new Secret('pw') })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(folder.path).mode & 0o777).toBe(0o700)
})

it('holds the whole connection string, on one line of YAML', async () => {
  const password = new Secret('a"b\\c: #\n%2f@/ü')
  const path = await writeConfigFile(folder, { ...settings, user: 'me@home', password })
  expect(readFileSync(path, 'utf8')).toBe(
    `uri: "mongodb://me%40home:${encodeURIComponent(password.reveal())}@h:27017/?authSource=admin&directConnection=true"\n`,
  )
  expect(secretsOf({ ...settings, password }).map((secret) => secret.reveal())).toEqual([
    password.reveal(),
    encodeURIComponent(password.reveal()),
  ])
})

it('works without an account', async () => {
  const path = await writeConfigFile(folder, settings)
  expect(readFileSync(path, 'utf8')).toBe('uri: "mongodb://h:27017/?directConnection=true"\n')
  expect(secretsOf(settings)).toEqual([])
})
