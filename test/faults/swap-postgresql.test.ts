import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Holdfast } from '../../src/holdfast.js'
import { holdfastIn, resultOf, testFolder } from '../flows/workbench.js'
import { killingProxy, type Moment } from '../servers/killing-proxy.js'
import { needsAll, needsBuild } from '../servers/needs.js'
import { ask, postgresql, reach } from './postgres-bench.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const name = 'faults swap "shop"'
const quoted = '"faults swap ""shop"""'

needsAll(postgresql, needsBuild()).describe('a restore by swap of PostgreSQL', () => {
  beforeEach(async () => {
    await ask('postgres', `CREATE DATABASE ${quoted} CONNECTION LIMIT 50`)
    await ask(
      'postgres',
      `COMMENT ON DATABASE ${quoted} IS 'the ''shop''';
      ALTER DATABASE ${quoted} SET work_mem = '7MB'; REVOKE CONNECT ON DATABASE ${quoted} FROM PUBLIC`,
    )
    await ask(name, `CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i`)
  })
  afterEach(async () => {
    for (const { datname } of await databases())
      await ask('postgres', `DROP DATABASE ${pg.escapeIdentifier(datname)} WITH (FORCE)`)
  })

  it('FAILURES 67: puts the new database in its place, keeps the old one, brings it back, and discards it', async () => {
    const { hf } = await backedUp()
    const { plan, kept } = await hf.restore({ strategy: 'swap', confirm: true })
    expect(plan).toMatchObject({ strategy: 'swap', keptAs: kept, losses: [], kept: [] })
    expect(kept).toMatch(/^faults swap "shop"_before_\d{8}t\d{6}_[0-9a-f]{6}$/u)
    expect([await rows(), await rows(kept)]).toEqual([20_000, 5])
    expect(await dressOf(name)).toEqual({
      comment: `the 'shop'`,
      connections: 50,
      settings: ['work_mem=7MB'],
    })

    const { plan: back } = await hf.undoRestore({ confirm: true })
    expect(back.databases.map((each) => each.name)).toEqual([kept])
    expect([await rows(), await rows(back.keptAs)]).toEqual([5, 20_000])
    expect(await dressOf(name)).toEqual({
      comment: `the 'shop'`,
      connections: 50,
      settings: ['work_mem=7MB'],
    })

    await ask(name, `INSERT INTO t SELECT 6, 'y'`)
    resultOf(await hf.backup({ connector: 'pg-parallel' }))
    await hf.restore({ strategy: 'swap', confirm: true })
    expect(await rows()).toBe(6)
    const { plan: shown } = await hf.restore({ dryRun: true })
    expect(shown.kept.length).toBe(2)
    expect((await hf.discardOld({ confirm: true })).plan.databases.length).toBe(2)
    expect((await databases()).map(({ datname }) => datname)).toEqual([name])
    await expect(hf.undoRestore({ confirm: true })).rejects.toMatchObject({ code: 'usage.nothing-kept' })
  })

  it('FAILURES 67: a backup that fails, or sessions in the way, leave the database as it was and nothing beside', async () => {
    const { hf, folder } = await backedUp()
    const other = new pg.Client({
      ...postgresql.server(),
      database: name,
      application_name: 'the shop itself',
    })
    other.on('error', () => undefined)
    await other.connect()
    await expect(hf.restore({ strategy: 'swap', confirm: true })).rejects.toMatchObject({
      code: 'database.busy',
      message: expect.stringContaining('the shop itself (holdfast)') as string,
    })
    await ask(name, `CREATE SCHEMA later; CREATE TABLE later.t (i int)`)
    const broken = { databases: { shop: { ...reach(name), restoreSuffix: ['--section=nonsense'] } } }
    const failing = await holdfastIn(folder, broken)
    await expect(
      failing.restore({ strategy: 'swap', disconnect: true, confirm: true }),
    ).rejects.toMatchObject({
      code: 'tool.failed',
      message: expect.stringMatching(/shop" is as it was$/u) as string,
    })
    expect([(await databases()).length, await rows()]).toEqual([1, 5])
    await hf.restore({ strategy: 'swap', disconnect: true, confirm: true })
    expect([(await databases()).length, await rows()]).toEqual([2, 20_000])
    await other.end().catch(() => undefined)
  })

  it.each<[string, Moment, 'old' | 'new']>([
    ['the database beside is made', { says: /CREATE DATABASE/u, heard: true }, 'old'],
    ['its rows arrive', { says: /COPY /u, heard: true }, 'old'],
    ['the names change', { says: /RENAME TO/u, heard: true }, 'new'],
  ])(
    'FAILURES 7, 67: killed when %s, one of the two answers, and the next run settles it',
    async (_when, moment, answer) => {
      const { hf, folder } = await backedUp()
      await swapKilledAt(folder, moment)
      await settled(hf)
      expect(await rows()).toBe(answer === 'old' ? 5 : 20_000)
      const { plan } = await hf.restore({ dryRun: true })
      expect(plan.kept.length).toBe(answer === 'old' ? 0 : 1)
      if (answer === 'old') {
        expect(plan.warnings.join('\n')).toMatch(
          /interrupted: .*shop" is as it was, and .*_restoring_.* is removed/u,
        )
        await expect(hf.undoRestore({ confirm: true })).resolves.toMatchObject({ done: true })
        await hf.restore({ strategy: 'swap', confirm: true })
      } else {
        expect(plan.warnings).toEqual([])
      }
      expect((await databases()).length).toBe(2)
      expect(await dressOf(name)).toMatchObject({ comment: `the 'shop'` })
      await hf.undoRestore({ confirm: true })
      expect(await rows()).toBe(5)
    },
  )
})

/** A backup of 20 000 rows, and then a database of 5. */
async function backedUp(): Promise<{ readonly hf: Holdfast; readonly folder: string }> {
  const folder = await testFolder()
  const hf = await holdfastIn(folder, { databases: { shop: reach(name) } })
  resultOf(await hf.backup())
  await ask(name, 'DELETE FROM t WHERE i > 5')
  return { hf, folder }
}

async function swapKilledAt(folder: string, moment: Moment): Promise<void> {
  let kill = () => undefined as void
  const proxy = await killingProxy(postgresql.server().port, moment, () => kill())
  const config = {
    databases: {
      shop: { ...reach(name), host: '127.0.0.1', port: proxy.port, parameters: { sslmode: 'disable' } },
    },
  }
  writeFileSync(join(folder, 'holdfast.config.json'), JSON.stringify(config))
  const child = spawn(process.execPath, [program, 'restore', '--strategy', 'swap', '--yes'], {
    cwd: folder,
    stdio: 'ignore',
  })
  kill = () => child.kill('SIGKILL')
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  // What the server has heard it does.
  await proxy.close()
}

/** The server takes a moment to see that a client is gone, and to end what it was doing. */
async function settled(hf: Holdfast): Promise<void> {
  await expect
    .poll(async () => (await hf.restore({ dryRun: true })).plan.warnings.join('\n'), { timeout: 20_000 })
    .not.toMatch(/at this moment|other sessions/u)
}

async function databases(): Promise<{ datname: string }[]> {
  return (await ask(
    'postgres',
    `SELECT datname::text FROM pg_database WHERE starts_with(datname, 'faults swap') ORDER BY length(datname)`,
  )) as { datname: string }[]
}

async function rows(database: string | undefined = name): Promise<number> {
  const [row] = (await ask(database, 'SELECT count(*)::int AS count FROM t')) as [{ count: number }]
  return row.count
}

async function dressOf(database: string): Promise<unknown> {
  const [row] = await ask(
    'postgres',
    `SELECT shobj_description(oid, 'pg_database') AS comment, datconnlimit AS connections,
      (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0) AS settings
     FROM pg_database d WHERE datname = ${pg.escapeLiteral(database)}`,
  )
  return row
}
