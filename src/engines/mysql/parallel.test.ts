import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect } from 'vitest'
import { needsAll, needsServer, needsTool } from '../../../test/servers/needs.js'
import { configOf, filesBelow, holdfastIn, resultOf, testFolder } from '../../../test/flows/workbench.js'
import { Secret } from '../../env/secret.js'
import { dumpRequest, partsSource, readAll, readDump } from '../../testing/connector-workbench.js'
import { mysqlParallel } from './connectors/mysql-parallel.js'
import {
  copyInPieces,
  parallelConnectorOf,
  requestOf,
  scratchContext,
  type Changes,
} from './test-connector.js'
import { ScratchDatabase } from './test-database.js'

const server = needsServer('mariadb')

server.describe('mysql-parallel', () => {
  const made: ScratchDatabase[] = []
  const cx = scratchContext()
  let source: ScratchDatabase

  const absent = () => {
    const database = new ScratchDatabase(server.server(), 'mariadb')
    made.push(database)
    return database
  }

  beforeAll(async () => {
    source = await absent().create()
    await source.run([
      'CREATE TABLE parent (id INT PRIMARY KEY, t TEXT)',
      `CREATE TABLE big (id BIGINT PRIMARY KEY, parent INT NOT NULL, t TEXT, KEY by_text (t(20)), CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parent (id))`,
      'CREATE TABLE other (k VARCHAR(40) PRIMARY KEY, t TEXT)',
      'CREATE TABLE loose (id INT PRIMARY KEY, t TEXT) ENGINE=MyISAM',
      'CREATE TABLE Twice (id INT PRIMARY KEY, t TEXT)',
      'CREATE TABLE twice (id INT PRIMARY KEY, t TEXT)',
      'CREATE TRIGGER shout BEFORE INSERT ON parent FOR EACH ROW SET NEW.t = UPPER(NEW.t)',
      `INSERT INTO parent SELECT seq, 'p' FROM seq_1_to_100`,
      // From below zero on.
      `INSERT INTO big SELECT CAST(seq AS SIGNED) * 7 - 20000, seq % 100 + 1, REPEAT(MD5(seq), 5) FROM seq_1_to_8000`,
      `INSERT INTO other SELECT UUID(), REPEAT(MD5(seq), 5) FROM seq_1_to_2000`,
      ...['loose', 'Twice', 'twice'].map(
        (table) => `INSERT INTO ${table} SELECT seq, REPEAT(MD5(seq), 5) FROM seq_1_to_500`,
      ),
      'ANALYZE TABLE parent, big, other, loose, Twice, twice',
    ])
  })
  afterAll(async () => {
    for (const database of made) await database.drop()
  })

  const dumped = (changes: Changes = {}) => parallelConnectorOf(source, changes).dump(cx, dumpRequest())

  server.it('divides large tables by integer keys, and mixes up no names', async () => {
    const target = absent()
    const { parts } = await copyInPieces(source, target)
    expect(parts.slice(0, 2).map(({ role }) => role)).toEqual(['schema', 'post-data'])
    const pieces = parts.slice(2).map(({ table }) => table)
    expect(pieces.length).toBeLessThanOrEqual(4)
    expect(pieces.filter((table) => table === 'big').length).toBeGreaterThan(1)
    expect(await target.digest()).toEqual(await source.digest())
    expect(await target.schemaText()).toBe(await source.schemaText())
    const alone = absent()
    expect((await copyInPieces(source, alone, { options: { jobs: 1 } })).parts).toHaveLength(3)
    expect(await alone.digest()).toEqual(await source.digest())
  })

  server.it('sees one moment in all its runs, while others write', async () => {
    const busy = await absent().create()
    await busy.run([
      'CREATE TABLE a (id INT PRIMARY KEY, t TEXT)',
      'CREATE TABLE b (id INT PRIMARY KEY, t TEXT)',
      ...['a', 'b'].map((table) => `INSERT INTO ${table} SELECT seq, REPEAT('x', 500) FROM seq_1_to_2000`),
      'ANALYZE TABLE a, b',
    ])
    const stop = new AbortController()
    const write = async () => {
      for (let id = 3000; !stop.signal.aborted; id++)
        await busy.run([
          'START TRANSACTION',
          `DELETE FROM a WHERE id = ${id - 2999}`,
          `INSERT INTO a VALUES (${id}, '')`,
          `INSERT INTO b VALUES (${id}, '')`,
          'COMMIT',
        ])
    }
    const writing = write()
    const dump = await parallelConnectorOf(busy).dump(cx, dumpRequest({ fingerprint: 'content' }))
    const parts = []
    for await (const { bytes, ...part } of dump.parts) parts.push({ ...part, bytes: await readAll(bytes) })
    stop.abort()
    await writing
    expect(parts.length).toBeGreaterThan(5)
    const target = absent()
    await parallelConnectorOf(target).restore(cx, partsSource(parts), requestOf({ create: true }))
    const difference = `SELECT COUNT(*) FROM a LEFT JOIN b USING (id) WHERE id >= 3000 AND b.id IS NULL`
    expect(await target.column(difference)).toEqual(['0'])
    expect(await target.rowCount('a')).toBe(2000)
    const rows = async (table: string) => ({ name: table, rows: await target.rowCount(table) })
    const { fingerprint } = await dump.facts()
    expect(fingerprint?.tables).toMatchObject([await rows('a'), await rows('b')])
    expect(await busy.rowCount('b')).toBeGreaterThan(await target.rowCount('b'))
  })

  server.it('FAILURES 24: a table that is changed meanwhile fails the dump, and is named', async () => {
    const read = async () => {
      const dump = await dumped()
      for await (const part of dump.parts) {
        await readAll(part.bytes)
        if (part.name === 'schema')
          await source.execute(`ALTER TABLE other ALTER COLUMN t SET DEFAULT 'x', ALGORITHM=INSTANT`)
      }
    }
    await expect(read()).rejects.toMatchObject({
      code: 'database.busy',
      message: expect.stringMatching(/definitions of other were changed during the dump$/u) as string,
    })
    await source.execute('ALTER TABLE other ALTER COLUMN t DROP DEFAULT')
  })

  server.it('FAILURES 25: a connection that is ended fails the dump', async () => {
    const read = async () => {
      const dump = await dumped()
      for await (const part of dump.parts) {
        if (part.role === 'schema')
          for (const id of await source.column(
            `SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()`,
          ))
            await source.execute(`KILL ${id}`).catch(() => undefined)
        await readAll(part.bytes)
      }
    }
    await source.execute(`INSERT INTO loose SELECT seq, REPEAT('y', 20000) FROM seq_1000_to_2000`)
    try {
      await expect(read()).rejects.toMatchObject({ code: 'tool.failed' })
    } finally {
      await source.execute('DELETE FROM loose WHERE id >= 1000')
    }
  })

  server.it('FAILURES 54: with the rights of a backup account, and never without a lock', async () => {
    const user = `u_${source.name}`
    const password = `pw-of-${user}`
    await source.execute(`CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY '${password}'`)
    try {
      await source.execute(`GRANT SELECT, SHOW VIEW, TRIGGER ON ${source.name}.* TO '${user}'@'127.0.0.1'`)
      const connection = { ...source.connection, user, password: new Secret(password) }
      const read = async () => readDump(await dumped({ connection }))
      await expect(read()).rejects.toMatchObject({
        code: 'database.denied',
        hint: expect.stringContaining('LOCK TABLES') as string,
      })
      await source.execute(`GRANT LOCK TABLES ON ${source.name}.* TO '${user}'@'127.0.0.1'`)
      expect((await read()).length).toBeGreaterThan(4)
    } finally {
      await source.execute(`DROP USER '${user}'@'127.0.0.1'`)
    }
  })

  server.it('refuses words for the tool that would choose other rows, or lock them', async () => {
    await expect(dumped({ options: { toolArgs: ['--where=id > 5'] } })).rejects.toMatchObject({
      code: 'usage.not-supported',
      message: expect.stringMatching(/^toolArgs --where=id > 5 does not go with /u) as string,
    })
    await expect(dumped({ tools: { dumpSuffix: ['-x'] } })).rejects.toMatchObject({
      message: expect.stringMatching(/^dumpSuffix -x does not go with /u) as string,
    })
  })

  server.it(
    'says what is left where a restore in place fails, and leaves nothing of a new database',
    async () => {
      const parts = await readDump(await dumped())
      const broken = partsSource(parts, ({ role, table, bytes }) =>
        role === 'data' && table === 'big'
          ? Buffer.from(bytes.toString('latin1').replace('INSERT INTO `big`', 'INSERT INTO `bog`'), 'latin1')
          : bytes,
      )
      const target = await absent().create()
      await expect(parallelConnectorOf(target).restore(cx, broken, requestOf())).rejects.toMatchObject({
        code: 'restore.incomplete',
        message: expect.stringMatching(/was restored in part: .*bog/su) as string,
      })
      const missing = absent()
      const anew = parallelConnectorOf(missing).restore(cx, broken, requestOf({ create: true }))
      await expect(anew).rejects.toMatchObject({ code: 'tool.failed' })
      await expect(missing.tables()).rejects.toThrow('Unknown database')
      // Once more over what is left: the way out that the error names.
      await parallelConnectorOf(target).restore(cx, partsSource(parts), requestOf())
      expect(await target.digest()).toEqual(await source.digest())
      const without = { ...partsSource(parts), parts: parts.filter(({ name }) => name !== 'post-data') }
      await expect(
        parallelConnectorOf(target).prepareRestore(cx, without, requestOf()),
      ).rejects.toMatchObject({
        code: 'integrity.missing-artifact',
      })
    },
  )

  needsAll(server, needsTool('zstd')).it(
    'goes through a storage in several artifacts, which verify, restore, and recover by hand',
    async () => {
      const folder = await testFolder()
      const hf = await holdfastIn(folder, {
        databases: {
          shop: {
            ...configOf(source.connection),
            connector: mysqlParallel('mariadb', { pieceBytes: 20_000 }),
            fingerprint: 'content',
          },
        },
        storages: { main: './main' },
      })
      const { id } = resultOf(await hf.backup())
      expect((await hf.verify()).results.map(({ ok }) => ok)).toEqual([true])
      const target = absent()
      await hf.restore({ backup: id, to: target.name, create: true, confirm: true })
      expect(await target.digest()).toEqual(await source.digest())
      expect(await target.schemaText()).toBe(await source.schemaText())
      const manual = await absent().create()
      const files = filesBelow(join(folder, 'main'))
      const schema = files.find((name) => /\/schema\b/u.test(name)) ?? ''
      recoverByHand(join(folder, 'main', schema, '..'), manual)
      expect(await manual.digest()).toEqual(await source.digest())
      expect(await manual.schemaText()).toBe(await source.schemaText())
    },
  )
})

/** As docs/format.md says it. */
function recoverByHand(folder: string, { name }: ScratchDatabase) {
  const { host, port, user, password } = server.server()
  const format = readFileSync(fileURLToPath(new URL('../../../docs/format.md', import.meta.url)), 'utf8')
  const commands = /^ {4}for part in schema(?:.|\n {4})*/mu.exec(format)?.[0]
  const variables = { MYSQL_HOST: host, MYSQL_TCP_PORT: String(port), MYSQL_PWD: password, DATABASE: name }
  execFileSync('bash', ['-euc', (commands ?? 'exit 1').replace('mariadb "', `mariadb --user=${user} "`)], {
    cwd: folder,
    env: { ...process.env, ...variables },
  })
}
