import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, describe, expect } from 'vitest'
import { needsAll, needsSamples, needsServer, samplesFolder } from '../../../../test/servers/needs.js'
import { Secret } from '../../../env/secret.js'
import { feedTool, runTool } from '../../../process/run.js'
import { connect } from '../../../streams/connect.js'
import { quoteText, ScratchDatabase } from '../test-database.js'
import { connectorOf, copyInPieces, dumpOf, restoreInto, scratchContext } from '../test-connector.js'
import { tortureOfBoth, tortureOfMariadb } from '../torture.js'

const server = needsServer('mariadb')
const cx = scratchContext()
const dropped: ScratchDatabase[] = []

function database(name?: string): ScratchDatabase {
  const scratch = new ScratchDatabase(server.server(), 'mariadb', name)
  dropped.push(scratch)
  return scratch
}

afterEach(async () => {
  for (const scratch of dropped.splice(0)) await scratch.drop()
})

/** A script as the user would run it by hand, with the bare client. */
async function runScript(script: string): Promise<void> {
  const { host, port, user, password } = server.server()
  const { stdin } = feedTool(cx, {
    program: 'mariadb',
    args: ['--no-defaults', '--protocol=TCP', '--skip-ssl', `-h${host}`, `-P${port}`, `-u${user}`],
    env: { MYSQL_PWD: password },
  })
  await connect([Readable.from([Buffer.from(script)]), stdin], cx.signal)
}

/** The tool's own dump, without what names the database or the time. */
async function bareDump(of: ScratchDatabase, more = ['--skip-comments']): Promise<string> {
  const { host, port, user, password } = server.server()
  const { stdout } = await runTool(cx, {
    program: 'mariadb-dump',
    args: [
      ...['--no-defaults', '--protocol=TCP', '--skip-ssl', `-h${host}`, `-P${port}`, `-u${user}`],
      ...['--single-transaction', '--routines', '--events', '--hex-blob', ...more, of.name],
    ],
    env: { MYSQL_PWD: password },
  })
  return stdout
}

/** All definitions, with the sequence `numbers` of the database itself as it would be called there. */
async function schemaOf(database: ScratchDatabase): Promise<string> {
  return (await database.schemaText()).replaceAll(`\`${database.name}\`.\`numbers\``, '`numbers`')
}

/** A sample that makes and uses its own database, with the name of one of ours. */
async function sample(script: string, name: string): Promise<string> {
  const text = await readFile(join(samplesFolder, 'chinook', script), 'utf8')
  return text.replaceAll(/`Chinook(?:_AutoIncrement)?`/gu, `\`${name}\``)
}

describe('whole round trips', () => {
  for (const options of ['', 'CHARACTER SET latin1 COLLATE latin1_german1_ci']) {
    server.it(
      `FAILURES 42–49: all that has been lost before comes back${options === '' ? '' : `, ${options}`}`,
      async () => {
        const source = await database().create(options)
        const target = database()
        const inPieces = database()
        await source.run([...tortureOfBoth, ...tortureOfMariadb])
        const { warnings } = await restoreInto(target, (await dumpOf(source)).bytes, { create: true })
        expect(warnings).toEqual([])
        expect((await copyInPieces(source, inPieces)).warnings).toEqual([])
        const before = await connectorOf(source).inspect(cx)
        for (const each of [target, inPieces]) {
          expect(await each.digest()).toEqual(await source.digest())
          expect(await schemaOf(each)).toBe(await schemaOf(source))
          expect((await connectorOf(each).inspect(cx)).server.schemaHash).toBe(before.server.schemaHash)
        }
        // What works in the one works in the other: functions, triggers in their order, sequences where they stood.
        for (const each of [source, target, inPieces]) {
          expect(await each.column(`SELECT double_it(2, 'é')`)).toEqual(['4a;b//$$é\\n'])
          await each.execute('INSERT INTO counted (v) VALUES (1); DELETE FROM counted WHERE id < 0')
          expect(await each.column('SELECT MAX(v) FROM counted')).toEqual(['20'])
          expect(await each.column('SELECT what FROM audit')).toEqual(['gone; -5'])
        }
        for (const each of [target, inPieces])
          expect(await each.column('SELECT MAX(id) FROM counted')).toEqual(
            await source.column('SELECT MAX(id) FROM counted'),
          )
      },
    )
  }

  server.it(
    'defaults and views take numbers from the sequences of their own database, in a copy, too',
    async () => {
      const source = await database().create()
      const text = `nextval(\`${source.name}\`.\`in_a_text\`)`
      await source.run([
        'CREATE SEQUENCE numbers START WITH 7',
        `CREATE TABLE t (id INT DEFAULT NEXTVAL(numbers), k INT DEFAULT (2 * NEXTVAL(numbers)) COMMENT '${text}')`,
        'CREATE VIEW v AS SELECT NEXTVAL(numbers) AS n',
        `CREATE PROCEDURE p()\nBEGIN\nCREATE TEMPORARY TABLE x (\n  \`a\` INT DEFAULT ${text});\nEND`,
      ])
      const schema = await schemaOf(source)
      const dumps = [(await dumpOf(source)).bytes, Buffer.from(await bareDump(source, []))]
      await source.drop()
      for (const bytes of dumps) {
        const target = database()
        await restoreInto(target, bytes, { create: true })
        await target.execute('INSERT INTO t () VALUES ()')
        expect(await target.rows('SELECT t.id, t.k, v.n FROM t, v')).toEqual([{ id: 7, k: 16, n: 9 }])
        expect(await schemaOf(target)).toBe(schema)
      }
    },
  )

  for (const script of ['Chinook_MySql.sql', 'Chinook_MySql_AutoIncrementPKs.sql']) {
    needsAll(server, needsSamples()).it(`${script} comes back as it was`, async () => {
      const source = database()
      const target = database()
      await runScript(await sample(script, source.name))
      await restoreInto(target, (await dumpOf(source)).bytes, { create: true })
      expect(await source.tables()).toHaveLength(11)
      expect(await target.digest()).toEqual(await source.digest())
      expect(await bareDump(target)).toBe(await bareDump(source))
    })
  }

  needsAll(server, needsSamples()).it(
    'a script that makes its own database restores into that one, and no other',
    async () => {
      const chinook = database()
      const bytes = await sample('Chinook_MySql.sql', chinook.name)
      const other = await database().create()
      await other.execute('CREATE TABLE mine (a INT)')
      await expect(restoreInto(other, bytes)).rejects.toMatchObject({
        code: 'usage.not-supported',
        message: expect.stringContaining(chinook.name) as string,
      })
      expect(await other.tables()).toEqual(['mine'])
      await restoreInto(chinook, bytes, { create: true })
      expect(await chinook.tables()).toHaveLength(11)
      await expect(restoreInto(chinook, bytes)).rejects.toMatchObject({
        hint: expect.stringContaining('--clean database') as string,
      })
      expect(await chinook.tables()).toHaveLength(11)
      await restoreInto(chinook, bytes, { clean: 'database' })
      expect(await chinook.tables()).toHaveLength(11)
      expect(await chinook.rowCount('Track')).toBe(3503)
    },
  )

  server.it('FAILURES 39: databases, users and passwords may be as odd as they like', async () => {
    const odd = database(`-x '"\`;% ü\\${Math.random().toString(36).slice(2)}`)
    await odd.create()
    const user = `ü '"-${Math.random().toString(36).slice(2, 8)}`
    const password = ` #p'a"s\\s\\n = ; ü😀 `
    const quoted = `${quoteText(user)}@'127.0.0.1'`
    await odd.execute(
      `CREATE USER ${quoted} IDENTIFIED BY ${quoteText(password)}; GRANT ALL ON *.* TO ${quoted}`,
    )
    try {
      const connection = { ...odd.connection, user, password: new Secret(password) }
      await odd.run(['CREATE TABLE a (b TEXT)', `INSERT INTO a VALUES ('x')`])
      const bytes = (await dumpOf(odd, { connection })).bytes
      await odd.execute('DROP TABLE a')
      await restoreInto(odd, bytes, {}, { connection })
      expect(await odd.column('SELECT b FROM a')).toEqual(['x'])
    } finally {
      await odd.execute(`DROP USER ${quoted}`)
    }
  })

  server.it('a dump is of one moment, whatever is written meanwhile', async () => {
    const source = await database().create()
    const target = database()
    await source.run([
      'CREATE TABLE a_first (n INT)',
      'CREATE TABLE m_between (t TEXT)',
      'CREATE TABLE z_last (n INT)',
      'INSERT INTO a_first VALUES (1000000)',
      'INSERT INTO z_last VALUES (0)',
      `INSERT INTO m_between SELECT REPEAT(MD5(seq), 30) FROM seq_1_to_30000`,
    ])
    const writing = { on: true, moves: 0 }
    const writer = (async () => {
      while (writing.on) {
        await source.execute('BEGIN; UPDATE a_first SET n = n - 1; UPDATE z_last SET n = n + 1; COMMIT')
        writing.moves++
      }
    })()
    const { bytes } = await dumpOf(source)
    writing.on = false
    await writer
    await restoreInto(target, bytes, { create: true })
    expect(writing.moves).toBeGreaterThan(2)
    expect(await target.column('SELECT a.n + z.n FROM a_first a, z_last z')).toEqual(['1000000'])
  })

  server.it('line ends and comments in routines stay as they are', async () => {
    const source = await database().create()
    const target = database()
    await source.execute(
      'CREATE PROCEDURE p()\r\nBEGIN\r\n  -- a comment\r\n  /* and another */ SELECT 1;\r\nEND',
    )
    await restoreInto(target, (await dumpOf(source)).bytes, { create: true })
    expect(await target.schemaText()).toBe(await source.schemaText())
    expect(JSON.stringify(await target.rows('SHOW CREATE PROCEDURE p'))).toContain('-- a comment\\r\\n')
  })
})
