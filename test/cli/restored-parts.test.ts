import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { filesBelow, testFolder } from '../flows/workbench.js'
import { needsAll, needsServer } from '../servers/needs.js'
import { built, documentOf, holdfast, type Ended } from './command-line.js'

const server = needsServer('postgresql')
const bench = needsAll(server, built)

const content = `
  CREATE SCHEMA shop; CREATE SCHEMA log;
  CREATE TABLE public.note (id int PRIMARY KEY, text text);
  CREATE TABLE shop.customer (id serial PRIMARY KEY, name text);
  CREATE TABLE shop."order" (id int PRIMARY KEY, customer int REFERENCES shop.customer);
  CREATE TABLE log.entry (id int PRIMARY KEY, customer int);
  INSERT INTO public.note SELECT i, 'n' || i FROM generate_series(1, 30) i;
  INSERT INTO shop.customer (name) SELECT 'c' || i FROM generate_series(1, 40) i;
  INSERT INTO shop."order" SELECT i, i % 40 + 1 FROM generate_series(1, 50) i;
  INSERT INTO log.entry SELECT i, i FROM generate_series(1, 60) i;`

/** A project with a PostgreSQL database `shop`, which is gone when the test ends. */
async function project(settings: Readonly<Record<string, unknown>> = {}) {
  const cwd = await testFolder()
  const database = await new TestDatabase(server.server()).make()
  const copy = new TestDatabase(server.server(), `${database.name}_copy_${randomBytes(2).toString('hex')}`)
  onTestFinished(() => copy.drop())
  onTestFinished(() => database.drop())
  await database.execute(content)
  const { host, port, user, password } = server.server()
  const configure = (more: Readonly<Record<string, unknown>>) => {
    const shop = { engine: 'postgresql', host, port, user, password, name: database.name, ...more }
    writeFileSync(
      join(cwd, 'holdfast.config.json'),
      JSON.stringify({ databases: { shop }, serverName: 'test' }),
    )
  }
  configure(settings)
  const run = (...args: readonly string[]) => holdfast(args, { cwd })
  return { cwd, database, copy, configure, run }
}

function expectDone(ended: Ended): Ended {
  expect(ended).toMatchObject({ code: 0 })
  return ended
}

/** Tables with their rows' digests, those of some schemas only. */
async function digestOf(database: TestDatabase, ...schemas: readonly string[]) {
  const all = Object.entries(await database.digest())
  return Object.fromEntries(all.filter(([name]) => schemas.some((schema) => name.startsWith(`${schema}.`))))
}

bench.describe('only some schemas', () => {
  it('those of the configuration count on restore: a whole archive brings back nothing else', async () => {
    const { database, copy, configure, run } = await project()
    const before = await database.digest()
    expectDone(await run('backup', '-q'))
    configure({ schemas: ['shop', 'log'] })
    await database.execute(
      `UPDATE public.note SET text = 'later'; DELETE FROM shop."order"; DELETE FROM log.entry`,
    )
    const plan = expectDone(await run('restore', '--dry-run')).stdout
    expect(plan).toMatch(/^ {2}only +schema shop, schema log$/mu)
    expect(documentOf(await run('restore', '--dry-run', '--json'))).toMatchObject({
      plan: { only: ['schema shop', 'schema log'] },
    })
    expectDone(await run('restore', '--yes', '-q'))
    const { 'public.note': note, ...others } = await database.digest()
    expect(note).not.toBe(before['public.note'])
    expect({ ...others, 'public.note': before['public.note'] }).toEqual(before)

    expectDone(await run('restore', '--yes', '-q', '--to', copy.name, '--create'))
    expect(await copy.digest()).toEqual(others)
  })

  it('a flag wins over the configuration', async () => {
    const { database, copy, run } = await project({ schemas: ['shop', 'log'] })
    const before = await database.digest()
    expectDone(await run('backup', '-q'))
    expectDone(await run('restore', '--yes', '-q', '--to', copy.name, '--create', '--schema', 'log'))
    expect(await copy.digest()).toEqual({ 'log.entry': before['log.entry'] })
    const absent = await run('restore', '--yes', '--schema', 'public')
    expect(absent).toMatchObject({ code: 2, stdout: '' })
    expect(absent.stderr).toContain('the dump has no schema public')
    expect(await database.digest()).toEqual(before)
  })

  it.each(['pg-dump', 'pg-dump-custom'])(
    '%s: a backup of those of the configuration is restored as it is',
    async (connector) => {
      const { database, run } = await project({ connector, schemas: ['shop'] })
      const before = await database.digest()
      expectDone(await run('backup', '-q'))
      await database.execute(`DELETE FROM shop."order"; UPDATE log.entry SET customer = 0`)
      const changed = await digestOf(database, 'public', 'log')
      expectDone(await run('restore', '--yes', '-q'))
      expect(await database.digest()).toEqual({ ...changed, ...(await digestOf(database, 'shop')) })
      expect(await digestOf(database, 'shop')).toEqual({
        'shop.customer': before['shop.customer'],
        'shop.order': before['shop.order'],
      })
    },
  )

  it('SQL of more than those is refused, by flag and by configuration, before anything changes', async () => {
    const { cwd, database, configure, run } = await project({ connector: 'pg-dump' })
    expectDone(await run('backup', '-q'))
    const flag = await run('restore', '--yes', '--schema', 'shop')
    expect(flag).toMatchObject({ code: 2, stdout: '' })
    expect(flag.stderr).toMatch(
      /^error: --schema does not go with the connector pg-dump, which made \S+: it restores a dump as a whole/u,
    )
    configure({ connector: 'pg-dump', schemas: ['shop'] })
    await database.execute('DELETE FROM shop."order"')
    const now = await database.digest()
    const [file = ''] = filesBelow(join(cwd, 'backups')).filter((name) => !name.endsWith('.json'))
    const made = join('backups', file)
    for (const args of [
      ['restore', '--yes'],
      ['restore', '--yes', '--to', 'elsewhere'],
      ['restore', made, '--yes'],
    ]) {
      const configured = await run(...args)
      expect(configured).toMatchObject({ code: 2, stdout: '' })
      expect(configured.stderr).toMatch(
        /^error: databases\.shop\.schemas \(holdfast\.config\.json\) does not go with the connector pg-dump, which (made|reads) \S+: it restores a dump as a whole/u,
      )
    }
    expect(await database.digest()).toEqual(now)
  })
})
