import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { lookUpPassword, passwordFor, writePasswordFile } from './passfile.js'
import { connectorSettings, dumpBytes, execute, TestDatabase, testContext } from './test-fixture.js'

const server = needsServer('postgresql')
const asked = { host: 'h', port: 5432, database: 'd', user: 'u' }

it('FAILURES 71: the password lies in a private file in a private folder, and is gone afterwards', async () => {
  const file = await writePasswordFile(testContext(), new Secret('p:w\\'))
  const path = file.env['PGPASSFILE'] ?? ''
  expect(await readFile(path, 'utf8')).toBe('*:*:*:*:p\\:w\\\\')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
  expect(JSON.stringify(file.env)).not.toContain('p:w')
  await file.remove()
  await expect(stat(dirname(path))).rejects.toMatchObject({ code: 'ENOENT' })
})

it('writes no file without a password, and refuses one with a line break', async () => {
  expect((await writePasswordFile(testContext(), undefined)).env).toEqual({})
  await expect(writePasswordFile(testContext(), new Secret('a\nb'))).rejects.toMatchObject({
    code: 'config.invalid',
  })
})

it('reads any password that it writes', async () => {
  const password = fc.string({ unit: 'binary', minLength: 1 }).filter((value) => !/[\n\r\0]/u.test(value))
  await fc.assert(
    fc.asyncProperty(password, async (value) => {
      const file = await writePasswordFile(testContext(), new Secret(value))
      const text = await readFile(file.env['PGPASSFILE'] ?? '', 'utf8')
      await file.remove()
      expect(passwordFor(text, asked)?.reveal()).toBe(value)
    }),
    { numRuns: 50 },
  )
})

it.each([
  ['h:5432:d:u:right', 'right'],
  ['h:5433:d:u:wrong\n*:*:*:u:right', 'right'],
  ['# h:5432:d:u:comment\n\nh:5432:d:u:right\r\nh:5432:d:u:later', 'right'],
  ['h:5432:d:u:with:colons', 'with:colons'],
  ['other:5432:d:u:wrong', undefined],
  ['h:5432:d:u:', undefined],
])('finds the first line that fits: %j', (text, password) => {
  expect(passwordFor(text, asked)?.reveal()).toBe(password)
})

it('finds a socket under its folder and under localhost', () => {
  const socket = { ...asked, host: '/run/pg' }
  expect(passwordFor('/run/pg:5432:d:u:a', socket)?.reveal()).toBe('a')
  expect(passwordFor('localhost:5432:d:u:b', socket)?.reveal()).toBe('b')
})

server.describe("the user's own password file", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passfile-test-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('serves driver and tools where no password is configured', async () => {
    const { host, port, user, password } = server.server()
    const database = await new TestDatabase(server.server()).make()
    try {
      const file = join(folder, 'own')
      await writeFile(file, `${host}:${port}:*:${user}:${password}\n`, { mode: 0o600 })
      const { password: _none, ...connection } = database.connection
      const env = { ...nodeEnv(), variables: { ...process.env, PGPASSFILE: file } }
      const { bytes } = await dumpBytes(
        connectorSettings(connection),
        pgDumpCustom,
        {},
        { ...testContext(), env },
      )
      expect(bytes.length).toBeGreaterThan(100)
      await chmod(file, 0o644)
      expect(await lookUpPassword(env, { host, port, database: database.name, user })).toBeUndefined()
    } finally {
      await database.drop()
    }
  })

  it('a password with every odd character opens the server to the tools, too', async () => {
    const role = `r_${randomBytes(4).toString('hex')}`
    const password = ` p:a\\s's"w%o$r{d}☃\t:`
    const database = await new TestDatabase(server.server()).make()
    try {
      await execute(
        server.server(),
        'postgres',
        `CREATE ROLE ${role} LOGIN PASSWORD E'${password.replace(/['\\]/gu, '\\$&')}'`,
      )
      const connection = { ...database.connection, user: role, password: new Secret(password) }
      expect((await dumpBytes(connectorSettings(connection), pgDumpCustom)).bytes.length).toBeGreaterThan(100)
    } finally {
      await database.drop()
      await execute(server.server(), 'postgres', `DROP ROLE IF EXISTS ${role}`)
    }
  })
})
