import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ScratchDatabase as MongodbDatabase } from '../../src/engines/mongodb/test-database.js'
import { ScratchDatabase as MysqlDatabase } from '../../src/engines/mysql/test-database.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { filesBelow, testFolder } from '../flows/workbench.js'
import { needsAll, needsServer } from '../servers/needs.js'
import type { ServerAddress } from '../servers/server.js'
import { built, documentOf, holdfast, type Ended } from './command-line.js'

const server = needsServer('postgresql')
const bench = needsAll(server, built)

const stamp = 'CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$'

const content = `
  CREATE SCHEMA shop; CREATE SCHEMA log;
  CREATE TABLE public.note (id int PRIMARY KEY, text text);
  CREATE TABLE shop.customer (id serial PRIMARY KEY, name text);
  CREATE TABLE shop."order" (id int PRIMARY KEY, customer int REFERENCES shop.customer);
  ${stamp};
  CREATE TRIGGER stamped BEFORE INSERT ON shop."order" FOR EACH ROW EXECUTE FUNCTION public.stamp();
  CREATE INDEX order_customer ON shop."order" (customer);
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

    await copy.make()
    await copy.execute(stamp)
    expectDone(await run('restore', '--yes', '-q', '--to', copy.name))
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

const needed =
  'what is restored needs what is not restored with it, and the target has to have: function public.stamp(), table shop.customer'

bench.describe('only some tables, definitions or rows', () => {
  it('--table: the plan says what it takes and what it lacks; the table comes back row by row, and no other changes', async () => {
    const { database, run } = await project()
    const [before, schema] = [await database.digest(), await database.schemaText()]
    const orders = await database.rows('SELECT * FROM shop."order" ORDER BY id')
    expectDone(await run('backup', '-q'))
    await database.execute(
      `DELETE FROM shop."order" WHERE id > 3; DROP INDEX shop.order_customer; UPDATE public.note SET text = 'later'`,
    )
    const changed = await database.digest()
    const plan = expectDone(await run('restore', '--table', 'shop.order', '--dry-run'))
    expect(plan.stdout).toMatch(/^ {2}only +table shop\.order$/mu)
    expect(plan.stdout).toContain(needed)
    expect(plan.stdout).toMatch(/^ {2}lost +.*shop\.order/mu)
    expect(plan.stdout).not.toMatch(/^ {2}lost +.*public\.note/mu)
    expect(await database.digest()).toEqual(changed)

    const ended = expectDone(await run('restore', '--table', 'shop.order', '--yes'))
    expect(ended.stderr).toContain(needed)
    expect(await database.rows('SELECT * FROM shop."order" ORDER BY id')).toEqual(orders)
    expect(await database.digest()).toEqual({ ...changed, 'shop.order': before['shop.order'] })
    expect(await database.schemaText()).toBe(schema)
  })

  it('--table into a database without what it needs fails, and leaves that as it was', async () => {
    const { copy, run } = await project()
    expectDone(await run('backup', '-q'))
    await copy.make()
    await copy.execute('CREATE TABLE own (i int); INSERT INTO own VALUES (1)')
    const ended = await run('restore', '--table', 'order', '--to', copy.name, '--yes')
    expect(ended).toMatchObject({ code: 5, stdout: '' })
    expect(await copy.tables()).toEqual(['own'])
    expectDone(
      await run('restore', '--table', 'customer', '--table', 'note', '--to', copy.name, '--yes', '-q'),
    )
    expect(await copy.tables()).toEqual(['note', 'own', 'customer'])
  })

  it('--schema-only and --data-only make the whole together', async () => {
    const { database, copy, run } = await project()
    expectDone(await run('backup', '-q'))
    const plan = expectDone(await run('restore', '--schema-only', '--to', copy.name, '--create', '--dry-run'))
    expect(plan.stdout).toMatch(/^ {2}only +definitions without rows$/mu)
    expectDone(await run('restore', '--schema-only', '--to', copy.name, '--create', '--yes', '-q'))
    expect(await copy.schemaText()).toBe(await database.schemaText())
    expect(Object.values(await copy.digest()).every((digest) => digest.startsWith('0:'))).toBe(true)

    const rows = expectDone(await run('restore', '--data-only', '--to', copy.name, '--dry-run'))
    expect(rows.stdout).toMatch(/^ {2}only +rows without definitions$/mu)
    expectDone(await run('restore', '--data-only', '--to', copy.name, '--yes', '-q'))
    expect(await copy.digest()).toEqual(await database.digest())
    for (const table of ['public.note', 'shop.customer', 'shop."order"', 'log.entry']) {
      const all = `SELECT * FROM ${table} ORDER BY id`
      expect(await copy.rows(all)).toEqual(await database.rows(all))
    }
  })

  it('--data-only --table: the rows of one table in place of those there', async () => {
    const { database, run } = await project()
    const before = await database.digest()
    expectDone(await run('backup', '-q'))
    await database.execute('UPDATE log.entry SET customer = 0; DELETE FROM public.note')
    const json = documentOf(await run('restore', '--data-only', '--table', 'log.*', '--yes', '--json'))
    expect(json).toMatchObject({
      restored: true,
      warnings: [],
      plan: {
        only: ['table log.*', 'rows without definitions'],
        losses: ['the rows of 1 table are replaced: log.entry'],
      },
    })
    expect(await database.digest()).toEqual({
      ...before,
      'public.note': expect.stringMatching(/^0:/u) as string,
    })
  })

  it.each<[readonly string[], number, string]>([
    [['--table', 'nowhere'], 2, 'the dump has no table nowhere'],
    [['--schema-only', '--data-only'], 2, 'dataOnly does not go with schemaOnly'],
    [['--data-only', '--clean', 'database'], 2, "dataOnly does not go with clean: 'database'"],
  ])('restore %j is refused with exit code %i', async (flags, code, message) => {
    const { database, run } = await project()
    expectDone(await run('backup', '-q'))
    await database.execute('DELETE FROM public.note')
    const now = await database.digest()
    const ended = await run('restore', '--yes', ...flags)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(message)
    expect(ended.stderr).not.toContain('--allow-missing')
    expect(await database.digest()).toEqual(now)
  })

  it.each([[['--table', 'note']], [['--schema-only']], [['--data-only']]])(
    'SQL cannot be picked from: %j',
    async (flags) => {
      const { run } = await project({ connector: 'pg-dump' })
      expectDone(await run('backup', '-q'))
      const ended = await run('restore', '--yes', ...flags)
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toMatch(
        /^error: --\S+ does not go with the connector pg-dump, which made \S+: it restores a dump as a whole/u,
      )
    },
  )
})

const mariadb = needsServer('mariadb')
needsAll(built, mariadb).it('mysqldump restores some tables, and has no schemas', async () => {
  const database = await new MysqlDatabase(mariadb.server(), 'mariadb').create()
  const filled =
    'CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2); CREATE TABLE u (i int); INSERT INTO u VALUES (3)'
  const { cwd } = await backedUp(database, 'mariadb', mariadb.server(), filled)
  const before = await database.digest()
  await database.execute('DELETE FROM t; DELETE FROM u; CREATE TABLE mine (i int)')
  const changed = await database.digest()
  const refused = await holdfast(['restore', '--yes', '--schema', 's'], { cwd })
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toContain('--schema does not go with the connector mysqldump, which made')
  const ended = expectDone(await holdfast(['restore', '--yes', '--table', 't'], { cwd }))
  expect(ended.stdout).toContain('1 table compared: row counts are the same')
  expect(await database.digest()).toEqual({ ...changed, t: before['t'] })
  expectDone(await holdfast(['restore', '--yes', '--data-only', '--table', 'u'], { cwd }))
  expect(await database.digest()).toEqual({ ...before, mine: changed['mine'] })
})

const mongodb = needsServer('mongodb')
needsAll(built, mongodb).it('mongodump restores some collections, and has no schemas', async () => {
  const database = new MongodbDatabase(mongodb.server())
  const insert = (name: string) => ({ insert: name, documents: [{ i: 1 }] })
  const filled = JSON.stringify([insert('t'), insert('u')])
  const { cwd, variables } = await backedUp(database, 'mongodb', mongodb.server(), filled)
  await database.execute('[{ "drop": "t" }, { "drop": "u" }]')
  await database.execute(JSON.stringify([insert('mine')]))
  const refused = await holdfast(['restore', '--yes', '--schema', 's'], { cwd, variables })
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toContain('--schema does not go with the connector mongodump, which made')
  expectDone(await holdfast(['restore', '--yes', '--table', 't'], { cwd, variables }))
  expect(await database.tables()).toEqual(['mine', 't'])
})

/** A project with a database that is filled and backed up. */
async function backedUp(
  database: MysqlDatabase | MongodbDatabase,
  engine: 'mariadb' | 'mongodb',
  { host, port, user, password, binDirectory }: ServerAddress,
  filling: string,
) {
  const cwd = await testFolder()
  onTestFinished(() => database.drop())
  await database.execute(filling)
  const shop = { engine, host, port, user, password, name: database.name }
  writeFileSync(join(cwd, 'holdfast.config.json'), JSON.stringify({ databases: { shop } }))
  const variables = engine === 'mongodb' ? { PATH: [binDirectory, process.env['PATH']].join(delimiter) } : {}
  expectDone(await holdfast(['backup', '-q'], { cwd, variables }))
  return { cwd, variables }
}
