import { statSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { asHoldfastError } from '../../src/errors.js'
import { filesBelow, holdfastIn, listener, makeShop, resultOf, testFolder } from '../flows/workbench.js'
import { dropDatabase, makeDatabase, postgresql, reach } from './postgres-bench.js'

const database = 'faults_secrets'

postgresql.describe('FAILURES 71: a password is seen nowhere', () => {
  beforeAll(() => makeDatabase(database))
  afterAll(() => dropDatabase(database))

  it('not in manifests, hooks, notices, settings and errors', async () => {
    const { password } = postgresql.server()
    const folder = await testFolder()
    const { emit, notices } = listener()
    const seen: unknown[] = []
    const hf = await holdfastIn(folder, { databases: { shop: reach(database) } }, { emit })
    hf.on('beforeBackup', (event) => void seen.push(event))
    hf.on('afterBackup', (event) => void seen.push(event))
    resultOf(await hf.backup())
    seen.push(hf.settings, notices, await hf.doctor(), await hf.list(), await hf.restore({ dryRun: true }))
    const files = filesBelow(folder).filter((name) => name.endsWith('.json'))
    seen.push(files.map((name) => readFileSync(join(folder, name), 'utf8')))
    const all = inspect(seen, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null })
    expect(all).toContain(database)
    expect(all).not.toContain(password)
    expect(
      JSON.stringify(seen, (_key, value: unknown) => (value instanceof Map ? [...value] : value)),
    ).not.toContain(password)
  })

  it('not in the error of a wrong password', async () => {
    const folder = await testFolder()
    const url = new URL('postgres://localhost')
    const { host, port, user } = postgresql.server()
    Object.assign(url, {
      hostname: host,
      port: String(port),
      username: user,
      password: 'wrong-hunter22',
      pathname: `/${database}`,
    })
    const hf = await holdfastIn(folder, { databases: { shop: url.href } })
    const [outcome] = await hf.backup()
    expect(outcome).toMatchObject({ ok: false, error: { code: 'database.login-refused' } })
    expect(inspect(outcome, { depth: 20, showHidden: true })).not.toContain('wrong-hunter22')
  })

  it('not in the error of a configuration that is wrong', async () => {
    const folder = await testFolder()
    const error = await holdfastIn(folder, {
      databases: { shop: 'postgres://me:wrong-hunter22@host:notaport/db' },
    }).catch(asHoldfastError)
    expect(error).toMatchObject({ code: 'config.invalid' })
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('wrong-hunter22')
  })
})

it.skipIf(process.platform === 'win32')(
  'FAILURES 77: everything that a backup writes is private',
  async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
    const previous = process.umask(0o000)
    try {
      resultOf(await hf.backup())
    } finally {
      process.umask(previous)
    }
    const backups = join(folder, 'backups')
    for (const name of filesBelow(backups)) expect(statSync(join(backups, name)).mode & 0o777).toBe(0o600)
    for (const name of ['', 'shop']) expect(statSync(join(backups, name)).mode & 0o777).toBe(0o700)
  },
)
