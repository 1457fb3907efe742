import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { needsAll, needsServer, needsTool } from '../../../../test/servers/needs.js'
import type { ConnectorOptions } from '../../../engine/connector.js'
import type { TemporaryDirectory } from '../../../env/env.js'
import { Secret } from '../../../env/secret.js'
import { mysqlSql } from '../format-sql.js'
import { unfinishedMark } from '../inventory.js'
import { ScratchDatabase } from '../test-database.js'
import { connectorOf, dumpOf, otherProcesses, restoreInto, scratchContext } from '../test-connector.js'

const server = needsServer('mariadb')

server.describe('dumping', () => {
  let source: ScratchDatabase
  let target: ScratchDatabase
  let folder: TemporaryDirectory

  beforeEach(async () => {
    source = await new ScratchDatabase(server.server(), 'mysql').create()
    target = new ScratchDatabase(server.server(), 'mysql')
    folder = await scratchContext().env.temporaryDirectory()
  })
  afterEach(async () => {
    await source.drop()
    await target.drop()
    await folder.remove()
  })

  const dump = (changes: Parameters<typeof dumpOf>[1] = {}) => dumpOf(source, changes)

  async function restored(bytes: Buffer): Promise<ScratchDatabase> {
    await restoreInto(target, bytes, { create: true })
    return target
  }

  /** A program of the test's own, which calls the real one. */
  async function wrapper(script: string): Promise<string> {
    const path = join(folder.path, 'wrapper')
    await writeFile(
      path,
      `#!/bin/sh\ncase "$*" in *--version*|*--help*) exec mariadb-dump "$@";; esac\n${script}\n`,
    )
    await chmod(path, 0o755)
    return path
  }

  it('is the output of the tool, after one line of ours', async () => {
    await source.run(['CREATE TABLE a (b INT)', 'INSERT INTO a VALUES (1)'])
    const { text, warnings } = await dump()
    expect(text).toMatch(
      /^\/\*!40101 ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci \*\/;\n/u,
    )
    expect(text).toMatch(/^-- MariaDB dump /mu)
    expect(text.trimEnd()).toMatch(/\n-- Dump completed$/u)
    expect(text).not.toMatch(/^(?:CREATE DATABASE|USE) /mu)
    expect(warnings).toEqual([])
    // The same database gives the same bytes.
    expect((await dump()).text).toBe(text)
  })

  it('FAILURES 1: a tool that is killed midway is an error', async () => {
    const path = await wrapper('mariadb-dump "$@" | head -c 900; kill -9 $$')
    await expect(dump({ tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'tool.failed',
      details: { signal: 'SIGKILL' },
    })
  })

  it('FAILURES 2: a status other than 0 is an error, however whole the dump looks', async () => {
    const path = await wrapper('mariadb-dump "$@"; echo "error: 2013 lost connection" >&2; exit 3')
    await expect(dump({ tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'tool.failed',
      message: expect.stringContaining('lost connection') as string,
    })
  })

  it('FAILURES 3: a dump without its trailer is an error, although the tool is content', async () => {
    const path = await wrapper('mariadb-dump "$@" | head -n 40')
    await source.execute('CREATE TABLE a (b INT)')
    await expect(dump({ tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'integrity.truncated',
    })
  })

  it('FAILURES 4: what the tool says is kept', async () => {
    const path = await wrapper('echo "Warning: something odd" >&2; exec mariadb-dump "$@"')
    expect((await dump({ tools: { dumpCommand: [path] } })).warnings).toContain('Warning: something odd')
  })

  it('FAILURES 15: an empty output is an error', async () => {
    const path = await wrapper('exit 0')
    await expect(dump({ tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: expect.stringMatching(/^integrity\./u) as string,
    })
  })

  it("is not led astray by the user's own option files", async () => {
    await source.run(['CREATE TABLE a (b INT)', 'INSERT INTO a VALUES (1)'])
    await writeFile(
      join(folder.path, '.my.cnf'),
      '[client]\npassword=wrong\nport=1\n[mysqldump]\nno-data\nskip-comments\n',
    )
    const { text } = await dump({
      tools: { dumpEnv: { HOME: folder.path, MYSQL_HOST: 'elsewhere', MYSQL_PWD: 'wrong' } },
    })
    expect(text).toContain('INSERT INTO `a`')
  })

  it('keeps to its options', async () => {
    await source.run(['CREATE TABLE a (b INT) ENGINE=MyISAM', 'INSERT INTO a VALUES (1)'])
    expect((await dump()).text).toContain('DROP TABLE IF EXISTS `a`')
    expect((await dump({ options: { drop: false } })).text).not.toContain('DROP TABLE')
    expect((await dump({ options: { toolArgs: ['--where=b > 5'] } })).text).not.toContain('INSERT INTO')
    const path = await wrapper('echo "$@" >&2; exec mariadb-dump "$@"')
    const said = async (options: ConnectorOptions) =>
      (await dump({ options, tools: { dumpCommand: [path] } })).warnings.join(' ')
    expect(await said({})).toContain('--single-transaction')
    expect(await said({ singleTransaction: false })).toMatch(/--skip-single-transaction --lock-tables/u)
  })

  describe('views of what is left out', () => {
    beforeEach(() =>
      source.run([
        'CREATE TABLE secret (a INT PRIMARY KEY)',
        'CREATE TABLE child (a INT, CONSTRAINT fk FOREIGN KEY (a) REFERENCES secret (a))',
        'CREATE TABLE other (a INT)',
        'CREATE VIEW reads_secret AS SELECT a FROM secret',
        'CREATE VIEW reads_view AS SELECT x.a FROM reads_secret x',
        'CREATE VIEW unrelated AS SELECT a FROM other',
      ]),
    )

    it('are left out with it, and that is said', async () => {
      const { bytes, warnings } = await dump({ request: { exclude: ['secret'] } })
      expect(warnings).toEqual([
        'left out, since they read tables that are left out: reads_secret, reads_view',
        'foreign keys of the dump refer to tables that are left out: child to secret',
      ])
      const views = await (
        await restored(bytes)
      ).column('SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()')
      expect(views).toEqual(['unrelated'])
    })

    it('stay where only rows are left out', async () => {
      const { bytes, warnings } = await dump({ request: { excludeData: ['secret'] } })
      expect(warnings).toEqual([])
      expect(await (await restored(bytes)).column('SELECT COUNT(*) FROM reads_view')).toEqual(['0'])
    })

    it('can be left out themselves', async () => {
      expect((await dump({ request: { exclude: ['reads_*'] } })).text).not.toMatch(/VIEW `reads/u)
    })
  })

  it('FAILURES 39: tables whose names differ in case alone are never mixed up', async () => {
    await source.run([
      'CREATE TABLE items (a INT)',
      'CREATE TABLE Items (b INT)',
      'INSERT INTO Items VALUES (7)',
    ])
    const { bytes } = await dump()
    expect(await (await restored(bytes)).digest()).toEqual(await source.digest())
    await expect(dump({ request: { exclude: ['items'] } })).rejects.toMatchObject({
      code: 'usage.not-supported',
      message: expect.stringContaining('Items') as string,
    })
    expect((await dump({ request: { exclude: ['items', 'Items'] } })).text).not.toContain('CREATE TABLE')
  })

  it('FAILURES 51: a row near max_allowed_packet is dumped, and what it needs is said', async () => {
    await source.run(['CREATE TABLE big (a LONGBLOB)', `INSERT INTO big VALUES (REPEAT(x'AB', 12000000))`])
    const { bytes, warnings } = await dump()
    expect(bytes.length).toBeGreaterThan(24_000_000)
    expect(warnings).toEqual([expect.stringMatching(/^a row takes 240000\d\d bytes .*max_allowed_packet/u)])
    // And the restore says so, too, before the server is even asked; nothing is left of the database.
    await expect(restored(bytes)).rejects.toMatchObject({
      code: 'database.query-failed',
      hint: expect.stringContaining('max_allowed_packet') as string,
    })
    await expect(target.tables()).rejects.toThrow('Unknown database')
  })

  it('FAILURES 41: a view that cannot be read any more fails the dump', async () => {
    await source.run(['CREATE TABLE a (b INT)', 'CREATE VIEW v AS SELECT b FROM a', 'DROP TABLE a'])
    await expect(dump()).rejects.toMatchObject({
      code: 'tool.failed',
      message: expect.stringContaining('v') as string,
    })
  })

  it('FAILURES 67: does not take over the mark of a broken restore', async () => {
    await source.run(['CREATE TABLE a (b INT)', `CREATE TABLE ${unfinishedMark} (began DATETIME)`])
    expect((await dump()).text).not.toContain(unfinishedMark)
  })

  describe('with an account that may not do everything', () => {
    async function denied(grants: readonly string[]) {
      const user = `u_${source.name}`
      await source.execute(`CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'pw-of-${user}'`)
      try {
        for (const grant of grants) await source.execute(`GRANT ${grant} TO '${user}'@'127.0.0.1'`)
        return await dump({
          connection: { ...source.connection, user, password: new Secret(`pw-of-${user}`) },
        }).then(
          ({ text }) => text,
          (error: unknown) => error,
        )
      } finally {
        await source.execute(`DROP USER '${user}'@'127.0.0.1'`)
      }
    }

    beforeEach(() =>
      source.run([
        'CREATE TABLE seen (a INT)',
        'CREATE TABLE unseen (a INT)',
        'CREATE VIEW v AS SELECT a FROM seen',
        'CREATE PROCEDURE p() SELECT 1',
        `CREATE EVENT e ON SCHEDULE AT '2037-01-01 00:00:00' DISABLE DO SELECT 1`,
      ]),
    )

    it('FAILURES 54: never leaves out rows or definitions in silence', async () => {
      expect(await denied([`SELECT ON ${source.name}.seen`])).toMatchObject({ code: 'database.denied' })
      expect(await denied([`SELECT ON ${source.name}.*`])).toMatchObject({
        code: 'database.denied',
        message: expect.stringContaining('definitions of v') as string,
      })
      expect(await denied([`SELECT, SHOW VIEW, EXECUTE ON ${source.name}.*`])).toMatchObject({
        code: 'database.denied',
        message: expect.stringContaining('definitions of p') as string,
      })
    })

    it('FAILURES 54: needs neither PROCESS nor RELOAD nor LOCK TABLES', async () => {
      const text = await denied([
        `SELECT, SHOW VIEW, TRIGGER, EVENT ON ${source.name}.*`,
        'SELECT ON mysql.proc',
      ])
      expect(text).toMatch(/PROCEDURE `p`[^]*-- Dump completed/u)
      expect(text).toMatch(/EVENT `e`/u)
    })
  })

  it('FAILURES 54: dumps without events where the account may not see them', async () => {
    const user = `u_${source.name}`
    await source.run([
      'CREATE TABLE seen (a INT)',
      `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'pw-of-${user}'`,
      `GRANT SELECT, SHOW VIEW, TRIGGER ON ${source.name}.* TO '${user}'@'127.0.0.1'`,
    ])
    const connection = { ...source.connection, user, password: new Secret(`pw-of-${user}`) }
    expect((await dump({ connection })).text).toContain('CREATE TABLE `seen`')
    await source.execute(`DROP USER '${user}'@'127.0.0.1'`)
  })

  needsAll(server, needsTool('nice')).it(
    'runs with the prefix, suffix and environment of the settings',
    async () => {
      await source.run(['CREATE TABLE a (b INT)', 'INSERT INTO a VALUES (1), (2)'])
      const path = await wrapper(
        'echo "niceness $(nice) $FROM_ALL $FROM_DUMP ${INHERITED:-nothing}" >&2; exec mariadb-dump "$@"',
      )
      const { text, warnings } = await dump({
        tools: {
          dumpPrefix: ['nice', '-n', '10'],
          dumpCommand: [path],
          dumpSuffix: ['--where=b = 2'],
          env: { FROM_ALL: 'all' },
          dumpEnv: { FROM_DUMP: 'dump' },
          inheritEnv: false,
        },
      })
      expect(warnings).toContain('niceness 10 all dump nothing')
      expect(text).toMatch(/VALUES\s+\(2\);/u)
    },
  )

  server.it('FAILURES 71: the password is in no argument and no environment of a program', async () => {
    const password = `visible-${source.name}`
    const user = `u_${source.name}`
    await source.run([
      `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY '${password}'`,
      `GRANT ALL ON ${source.name}.* TO '${user}'@'127.0.0.1'`,
      'CREATE TABLE a (b INT, c TEXT)',
      `INSERT INTO a SELECT seq, REPEAT('x', 1000) FROM seq_1_to_40000`,
    ])
    process.env['HOLDFAST_TEST_URL'] = `mysql://${user}:${password}@127.0.0.1/x`
    try {
      const connection = { ...source.connection, user, password: new Secret(password) }
      const request = { exclude: [], excludeData: [], schemas: [], allowMissing: false }
      const running = await connectorOf(source, { connection }).dump(scratchContext(), request)
      const seen: string[] = []
      const bytes: Buffer[] = []
      for await (const part of running.parts) {
        for await (const chunk of part.bytes) {
          bytes.push(chunk as Buffer)
          // The first chunk is a head that is written before the tool has started.
          if (bytes.length === 2) seen.push(...(await otherProcesses()))
        }
      }
      expect(seen.some((text) => text.includes('--defaults-file=') && text.includes(source.name))).toBe(true)
      expect(seen.filter((text) => text.includes(password))).toEqual([])
      expect(Buffer.concat(bytes).includes(password)).toBe(false)
      expect(mysqlSql.recognises(Buffer.concat(bytes))).toBe(true)
    } finally {
      delete process.env['HOLDFAST_TEST_URL']
      await source.execute(`DROP USER '${user}'@'127.0.0.1'`)
    }
  })
})
