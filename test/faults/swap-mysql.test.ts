import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Holdfast } from '../../src/holdfast.js'
import { holdfastIn, resultOf, testFolder } from '../flows/workbench.js'
import { killingProxy, type Moment } from '../servers/killing-proxy.js'
import { families, type Family } from '../servers/mysql-families.js'
import { needsAll, needsBuild } from '../servers/needs.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** The one that is tested now. */
let family: Family | undefined
const name = 'faults swap `shop`'
const quoted = '`faults swap ``shop```'

const count = (rows: number) =>
  `WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ${rows}) SELECT`

const made = [
  'CREATE TABLE p (id INT PRIMARY KEY AUTO_INCREMENT, n TEXT)',
  'CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT of_p FOREIGN KEY (p) REFERENCES p (id))',
  `INSERT INTO p (n) ${count(50)} CONCAT('p ', seq) FROM n`,
  `INSERT INTO c ${count(50)} seq, seq FROM n`,
  'CREATE FUNCTION counted() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM p)',
  'CREATE VIEW both_of AS SELECT p.n, c.id, counted() AS total FROM p JOIN c ON c.p = p.id',
  'CREATE TRIGGER upper_n BEFORE INSERT ON p FOR EACH ROW SET NEW.n = UPPER(NEW.n)',
  'CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM c WHERE id < 0',
]
const madeInMariadb = [
  'CREATE SEQUENCE s START WITH 40',
  'CREATE TABLE numbered (id INT DEFAULT NEXTVAL(s), old TEXT) WITH SYSTEM VERSIONING',
  `INSERT INTO numbered (old) VALUES ('a')`,
]
const changed = [
  'DELETE FROM c WHERE id > 5',
  'CREATE TABLE later (i INT)',
  'DROP VIEW both_of',
  'CREATE VIEW later_of AS SELECT COUNT(*) AS total FROM later',
  'DROP TRIGGER upper_n',
  'CREATE TRIGGER lower_n BEFORE INSERT ON p FOR EACH ROW SET NEW.n = LOWER(NEW.n)',
  'DROP EVENT nightly',
]

describe.each(families)('$engine', (tested) => {
  needsAll(tested.needs, needsBuild()).describe('a restore by swap', () => {
    beforeEach(async () => {
      family = tested
      await run([`CREATE DATABASE ${quoted} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`])
      await run([...made, ...(tested.engine === 'mariadb' ? madeInMariadb : [])], name)
    })
    afterEach(async () => {
      for (const each of await databases()) await run([`DROP DATABASE \`${each.replaceAll('`', '``')}\``])
    })

    it('FAILURES 67: swaps tables and what stands beside them, keeps the old ones, brings them back, and discards them', async () => {
      const { hf, old, fresh } = await backedUp()
      const { plan, kept } = await hf.restore({ strategy: 'swap', confirm: true })
      expect(plan).toMatchObject({ strategy: 'swap', keptAs: kept, losses: [] })
      expect(plan.warnings).toEqual([expect.stringContaining('are made anew right after it')])
      expect(await content()).toEqual(fresh)
      expect((await ask('SELECT COUNT(*) AS n FROM c', kept))[0]?.['n']).toBe(5)

      await hf.undoRestore({ confirm: true })
      expect(await content()).toEqual(old)
      await hf.undoRestore({ confirm: true })
      expect(await content()).toEqual(fresh)
      await hf.discardOld({ confirm: true })
      expect(await databases()).toEqual([name])
      if (tested.engine === 'mariadb') {
        await run([`INSERT INTO numbered (old) VALUES ('the default still finds its sequence')`], name)
        await run([`DELETE FROM numbered WHERE old <> 'a'`], name)
      }
      const none = await hf.restore({ strategy: 'swap', to: `${name}_copy`, create: true, confirm: true })
      expect([none.kept, await content(`${name}_copy`)]).toEqual([undefined, fresh])
      if (tested.engine === 'mysql') return
      await run(['DROP SEQUENCE s'], name)
      await run([`INSERT INTO numbered (old) VALUES ('and in a copy its own')`], `${name}_copy`)
    })

    it('FAILURES 67: a restore that fails, or sessions in the way, leave the database as it was and nothing beside', async () => {
      const { folder, old, hf } = await backedUp()
      const other = await createConnection({ ...address(), database: name })
      other.on('error', () => undefined)
      await expect(hf.restore({ strategy: 'swap', confirm: true })).rejects.toMatchObject({
        code: 'database.busy',
      })
      const broken = { databases: { shop: { ...reach(name), restoreSuffix: ['--nonsense'] } } }
      const failing = await holdfastIn(folder, broken)
      await expect(failing.restore({ strategy: 'swap', disconnect: true, confirm: true })).rejects.toThrow()
      expect([await databases(), await content()]).toEqual([[name], old])
      await hf.restore({ strategy: 'swap', disconnect: true, confirm: true })
      expect((await databases()).length).toBe(2)
      other.destroy()
    })

    it.each<[string, Moment, 'old' | 'new']>([
      ['rows are restored beside it', { says: /INSERT INTO `c`/u, heard: false }, 'old'],
      ['the record is made', { says: /CREATE TABLE .*`holdfast_swap`/u, heard: false }, 'old'],
      ['triggers are away', { says: /DROP TRIGGER/u, heard: true }, 'old'],
      ['the tables change places', { says: /RENAME TABLE/u, heard: true }, 'new'],
      ['views are made anew', { says: /50001 VIEW `both_of`/u, at: 2, heard: false }, 'new'],
      ['what is left is removed', { says: /DROP DATABASE IF EXISTS/u, heard: false }, 'new'],
    ])(
      'FAILURES 7, 67: killed when %s, one of the two answers, and the next run settles it',
      async (_when, moment, answer) => {
        const { hf, folder, old, fresh } = await backedUp()
        await swapKilledAt(folder, moment)
        await noMoreAtWork(hf)
        expect((await ask('SELECT COUNT(*) AS n FROM c'))[0]?.['n']).toBe(answer === 'old' ? 5 : 50)
        const { plan } = await hf.restore({ dryRun: true, disconnect: true })
        expect(plan.warnings.join('\n')).toMatch(
          answer === 'old' ? /as it was|tables are the old ones/u : /tables are the new ones|is removed/u,
        )
        await hf.undoRestore({ confirm: true })
        expect(await content()).toEqual(old)
        expect((await databases()).length).toBe(answer === 'old' ? 1 : 2)
        if (answer === 'old') return
        await hf.undoRestore({ confirm: true })
        expect(await content()).toEqual(fresh)
      },
    )

    /** As MySQL leaves tables of other engines than InnoDB where it is killed itself within a RENAME TABLE. */
    it.each<[string, boolean, 'old' | 'new']>([
      ['some of the old tables are away', false, 'old'],
      ['some of the new tables are not there yet', true, 'new'],
    ])(
      'FAILURES 67: killed with its server when %s, the next run settles it',
      async (_when, heard, answer) => {
        const { hf, folder, old, fresh } = await backedUp()
        await swapKilledAt(folder, { says: /RENAME TABLE/u, heard })
        await noMoreAtWork(hf)
        const [, kept = '', from = ''] = (await databases()).map(
          (each) => `\`${each.replaceAll('`', '``')}\``,
        )
        await run([`RENAME TABLE ${quoted}.c TO ${answer === 'old' ? kept : from}.c`])
        const { plan } = await hf.restore({ dryRun: true })
        expect(plan.warnings.join('\n')).toContain(`its tables are the ${answer} ones`)
        await hf.undoRestore({ confirm: true })
        expect(await content()).toEqual(old)
        expect((await databases()).length).toBe(answer === 'old' ? 1 : 2)
        if (answer === 'old') return
        await hf.undoRestore({ confirm: true })
        expect(await content()).toEqual(fresh)
      },
    )
  })
})

/** The server has noticed that the run is gone. */
async function noMoreAtWork(hf: Holdfast): Promise<void> {
  await expect
    .poll(async () => (await hf.restore({ dryRun: true })).plan.warnings.join('\n'), { timeout: 20_000 })
    .not.toMatch(/at this moment/u)
}

function address() {
  if (family === undefined) throw new Error('no server is tested')
  return family.address()
}

function reach(database: string) {
  // The proxy is to hear what is said.
  return {
    engine: family?.engine ?? '',
    ...address(),
    name: database,
    parameters: { 'ssl-mode': 'DISABLED' },
  }
}

async function run(statements: readonly string[], database?: string): Promise<void> {
  const connection = await createConnection({ ...address(), ...(database === undefined ? {} : { database }) })
  try {
    for (const sql of statements) await connection.query(sql)
  } finally {
    await connection.end()
  }
}

async function ask(sql: string, database: string | undefined = name): Promise<readonly RowDataPacket[]> {
  const connection = await createConnection({ ...address(), database })
  try {
    return (await connection.query<RowDataPacket[]>(sql))[0]
  } finally {
    await connection.end()
  }
}

async function databases(): Promise<readonly string[]> {
  const rows = await ask(
    `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'faults swap%' ORDER BY LENGTH(SCHEMA_NAME)`,
    'information_schema',
  )
  return rows.map((row) => String(row['name']))
}

/** Counts of rows, and every definition by its kind. */
async function content(database = name): Promise<unknown> {
  const texts = (sql: string) => ask(sql, database)
  const tables = (await texts('SHOW FULL TABLES')).map((row) => Object.values(row).map(String))
  const counts = await Promise.all(
    tables.map(async ([table = '', type]) =>
      type === 'SEQUENCE'
        ? [table, type]
        : [
            table,
            type,
            ...(await texts(`SELECT COUNT(*) AS n FROM \`${table}\``)).map((row) => Number(row['n'])),
          ],
    ),
  )
  return {
    counts,
    keys: await texts(`SELECT TABLE_NAME, REFERENCED_TABLE_NAME, REFERENCED_TABLE_SCHEMA = DATABASE() AS own
      FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL`),
    views:
      await texts(`SELECT TABLE_NAME, REPLACE(VIEW_DEFINITION, CONCAT('\`', REPLACE(DATABASE(), '\`', '\`\`'), '\`.'), '') AS text
      FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()`),
    triggers: await texts(
      'SELECT TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()',
    ),
    routines: await texts(
      'SELECT ROUTINE_NAME, ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()',
    ),
    events: await texts(
      'SELECT EVENT_NAME, STATUS, EVENT_DEFINITION FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()',
    ),
  }
}

async function backedUp(): Promise<{
  readonly hf: Holdfast
  readonly folder: string
  readonly old: unknown
  readonly fresh: unknown
}> {
  const folder = await testFolder()
  const hf = await holdfastIn(folder, { databases: { shop: reach(name) } })
  const fresh = await content()
  resultOf(await hf.backup())
  await run(changed, name)
  return { hf, folder, fresh, old: await content() }
}

async function swapKilledAt(folder: string, moment: Moment): Promise<void> {
  let kill = () => undefined as void
  const proxy = await killingProxy(address().port, moment, () => kill())
  const config = { databases: { shop: { ...reach(name), host: '127.0.0.1', port: proxy.port } } }
  writeFileSync(join(folder, 'holdfast.config.json'), JSON.stringify(config))
  const child = spawn(process.execPath, [program, 'restore', '--strategy', 'swap', '--yes'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  kill = () => child.kill('SIGKILL')
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  await proxy.close()
}
