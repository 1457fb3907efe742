import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createConnection } from 'mysql2/promise'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import type { RestoreRequest, RestoreSource } from '../../../engine/connector.js'
import { Secret } from '../../../env/secret.js'
import { HoldfastError } from '../../../errors.js'
import { mariadb } from '../engine.js'
import { unfinishedMark } from '../inventory.js'
import { ScratchDatabase } from '../test-database.js'
import {
  connectorOf,
  dumpOf,
  otherProcesses,
  requestOf,
  restoreInto,
  scratchContext,
  sourceOf,
} from '../test-connector.js'

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

server.describe('a target that is not empty', () => {
  let bytes: Buffer
  let target: ScratchDatabase

  beforeEach(async () => {
    const source = await database().create()
    await source.run([
      'CREATE TABLE a (b INT)',
      'INSERT INTO a VALUES (1)',
      'CREATE FUNCTION f() RETURNS INT RETURN 1',
    ])
    bytes = (await dumpOf(source)).bytes
    target = await database().create()
    await target.run(['CREATE TABLE mine (c INT)', 'INSERT INTO mine VALUES (5)'])
  })

  it('clean none adds to what is there', async () => {
    await restoreInto(target, bytes, { clean: 'none' })
    expect(await target.tables()).toEqual(['a', 'mine'])
  })

  it('FAILURES 66: clean none refuses what both hold, before anything is touched', async () => {
    await target.run(['CREATE TABLE a (old INT)', 'INSERT INTO a VALUES (9)'])
    const refused = { code: 'refused.not-empty', message: expect.stringMatching(/: a$/u) as string }
    await expect(restoreInto(target, bytes, { clean: 'none' })).rejects.toMatchObject(refused)
    const prepared = connectorOf(target).prepareRestore(cx, sourceOf(bytes), requestOf({ clean: 'none' }))
    await expect(prepared).rejects.toMatchObject(refused)
    expect(await target.column('SELECT old FROM a')).toEqual(['9'])
  })

  it('clean objects replaces the one and keeps the other', async () => {
    await target.run(['CREATE TABLE a (old INT)', 'CREATE FUNCTION f() RETURNS INT RETURN 2'])
    await restoreInto(target, bytes)
    expect(await target.tables()).toEqual(['a', 'mine'])
    expect(await target.column('SELECT b FROM a')).toEqual(['1'])
    expect(await target.column('SELECT f()')).toEqual(['1'])
  })

  it('clean database makes it anew, with its own defaults where the dump has none', async () => {
    await target.execute(`ALTER DATABASE ${target.name} CHARACTER SET latin2`)
    await restoreInto(target, 'CREATE TABLE a (b INT);\n', { clean: 'database' })
    expect(await target.tables()).toEqual(['a'])
    expect(await target.column('SELECT @@character_set_database')).toEqual(['latin2'])
  })

  it('clean database waits for nobody, and ends sessions only where told to', async () => {
    const { host, port, user, password } = server.server()
    const other = await createConnection({ host, port, user, password, database: target.name })
    other.on('error', () => undefined)
    const prepare = (changes: Partial<RestoreRequest>) =>
      connectorOf(target).prepareRestore(cx, sourceOf(bytes), requestOf(changes))
    await expect(restoreInto(target, bytes, { clean: 'database' })).rejects.toMatchObject({
      code: 'database.busy',
    })
    expect(await target.tables()).toEqual(['mine'])
    expect((await prepare({})).warnings).toEqual([expect.stringContaining('another session uses')])
    expect((await prepare({ clean: 'database', disconnect: true })).losses).toEqual([
      expect.stringContaining('dropped'),
    ])
    await restoreInto(target, bytes, { clean: 'database', disconnect: true })
    expect(await target.tables()).toEqual(['a'])
    await expect(other.query('SELECT 1')).rejects.toThrow()
    other.destroy()
  })
})

server.describe('a restore that fails', () => {
  const good = 'DROP TABLE IF EXISTS a;\nCREATE TABLE a (b INT);\nINSERT INTO a VALUES (1);\n'
  const bad = `${good}CREATE TABLE c (d NO_SUCH_TYPE);\nCREATE TABLE never (e INT);\n`

  it('FAILURES 67: is restore.incomplete, stops at the first error, is marked, and may be run again', async () => {
    const target = await database().create()
    await target.execute('CREATE TABLE mine (c INT)')
    await expect(restoreInto(target, bad)).rejects.toMatchObject({
      code: 'restore.incomplete',
      message: expect.stringContaining('NO_SUCH_TYPE') as string,
      details: { code: 'tool.failed' },
    })
    expect(await target.tables()).toEqual(['a', unfinishedMark, 'mine'].sort())
    const { server: facts } = await connectorOf(target).inspect(cx)
    expect(facts.warnings).toEqual([expect.stringContaining('did not finish')])
    await restoreInto(target, good)
    expect(await target.tables()).toEqual(['a', 'mine'])
    expect((await connectorOf(target).inspect(cx)).server.warnings).toEqual([])
  })

  it('FAILURES 67: leaves nothing of a database that it has made', async () => {
    const target = database()
    await expect(restoreInto(target, bad, { create: true })).rejects.toMatchObject({ code: 'tool.failed' })
    await expect(connectorOf(target).inspect(cx)).rejects.toMatchObject({ code: 'database.not-found' })
  })

  it('FAILURES 67: leaves the target as it was where the dump is refused in time', async () => {
    const target = await database().create()
    await target.execute('CREATE TABLE mine (c INT)')
    const before = await target.schemaText()
    for (const text of [
      'USE elsewhere;\n',
      'Once upon a time',
      '',
      '-- PostgreSQL database dump\nSELECT 1;\n',
    ]) {
      const error = await restoreInto(target, text).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(HoldfastError)
      expect(error).not.toMatchObject({ code: 'restore.incomplete' })
      expect(await target.schemaText()).toBe(before)
    }
  })

  it('FAILURES 67: a source that breaks at once leaves the target as it was', async () => {
    const target = await database().create()
    const broken = new HoldfastError('integrity.checksum', 'bytes differ')
    let opened = 0
    const source: RestoreSource = {
      parts: [{ name: 'dump', role: 'dump' }],
      // Whole when it is looked at, broken when it is read.
      open: () =>
        Promise.resolve(
          opened++ === 0
            ? Readable.from([Buffer.from(good)])
            : new Readable({
                read() {
                  this.destroy(broken)
                },
              }),
        ),
    }
    await expect(connectorOf(target).restore(cx, source, requestOf())).rejects.toBe(broken)
    expect(await target.tables()).toEqual([])
  })

  it('an account that may not do what a dump needs is refused before', async () => {
    const source = await database().create()
    await source.execute('CREATE TABLE a (b INT)')
    const bytes = (await dumpOf(source)).bytes
    const target = await database().create()
    const user = `u_${target.name}`
    await target.execute(`CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'pw-of-${user}';
      GRANT SELECT, INSERT, CREATE ON ${target.name}.* TO '${user}'@'127.0.0.1'`)
    const connection = { ...target.connection, user, password: new Secret(`pw-of-${user}`) }
    const prepared = connectorOf(target, { connection }).prepareRestore(cx, sourceOf(bytes), requestOf())
    await expect(prepared).rejects.toMatchObject({
      code: 'database.denied',
      message: expect.stringContaining('DROP, ALTER') as string,
    })
    await target.execute(`DROP USER '${user}'@'127.0.0.1'`)
  })

  it('a client that cannot log in is found before', async () => {
    const target = await database().create()
    const folder = await cx.env.temporaryDirectory()
    const client = join(folder.path, 'client')
    await writeFile(
      client,
      '#!/bin/sh\ncase "$*" in *--version*) exec mariadb --version;; esac\necho "ERROR 2059 (HY000): no plugin" >&2; exit 1\n',
    )
    await chmod(client, 0o755)
    const tools = { restoreCommand: [client] }
    const prepared = connectorOf(target, { tools }).prepareRestore(cx, sourceOf(good), requestOf())
    await expect(prepared).rejects.toMatchObject({
      code: 'tool.failed',
      message: expect.stringContaining('2059') as string,
    })
    await folder.remove()
  })

  it('FAILURES 75: commands of the client in a dump are not run', async () => {
    const target = await database().create()
    const folder = await cx.env.temporaryDirectory()
    const marker = join(folder.path, 'marker')
    const text = `-- x\n\\! touch ${marker}\nsystem touch ${marker}\n/*!50000 \\! touch ${marker}\n*/;\nCREATE TABLE a (b INT);\n`
    await restoreInto(target, text).catch(() => undefined)
    await expect(readFile(marker)).rejects.toThrow('ENOENT')
    await folder.remove()
  })
})

server.it('FAILURES 41: objects whose owner is not there are named after the restore', async () => {
  const source = await database().create()
  const target = database()
  const user = `u_${source.name}`
  await source.run([
    `CREATE USER '${user}'@'%'`,
    'CREATE TABLE t (a INT)',
    `CREATE DEFINER='${user}'@'%' VIEW v AS SELECT a FROM t`,
  ])
  const bytes = (await dumpOf(source)).bytes
  await source.execute(`DROP USER '${user}'@'%'`)
  const { warnings } = await restoreInto(target, bytes, { create: true })
  expect(warnings).toEqual([expect.stringContaining(`${user}@%`)])
  expect(await target.column('SHOW CREATE VIEW v')).toEqual(['v'])
})

server.it('a dump of the other family is said to be one', async () => {
  const target = await database().create()
  const text =
    '-- MySQL dump 10.13  Distrib 8.4.5, for Linux (x86_64)\n-- Server version\t8.4.5\nCREATE TABLE a (b INT);\n-- Dump completed\n'
  const source = sourceOf(text)
  expect((await connectorOf(target).prepareRestore(cx, source, requestOf())).warnings).toEqual([
    expect.stringContaining("MySQL's tool"),
  ])
  await connectorOf(target).restore(cx, source, requestOf())
  expect(await target.tables()).toEqual(['a'])
})

server.it('the target is described without the password', async () => {
  const target = await database().create()
  const { place, tools } = await connectorOf(target).prepareRestore(
    cx,
    sourceOf('CREATE TABLE a (b INT);'),
    requestOf(),
  )
  const { host, port, user } = server.server()
  expect(place).toBe(`mariadb://${user}@${host}:${port}/${target.name}`)
  expect(tools).toEqual([expect.objectContaining({ name: 'mariadb' })])
  expect(mariadb.connectors['mysqldump']?.capabilities.transactionalRestore).toBe(false)
})

server.it('FAILURES 71: the password is in no argument and no environment of the client', async () => {
  const target = await database().create()
  const password = `visible-${target.name}`
  const user = `u_${target.name}`
  await target.execute(
    `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY '${password}'; GRANT ALL ON ${target.name}.* TO '${user}'@'127.0.0.1'`,
  )
  const seen: string[] = []
  const source: RestoreSource = {
    parts: [{ name: 'dump', role: 'dump' }],
    open: () =>
      Promise.resolve(
        Readable.from(
          (async function* () {
            yield Buffer.from('CREATE TABLE a (b INT);\n')
            yield Buffer.from('DO 1;\n'.repeat(20_000))
            seen.push(...(await otherProcesses()))
            yield Buffer.from('DO 2;\n')
          })(),
        ),
      ),
  }
  const connection = { ...target.connection, user, password: new Secret(password) }
  await connectorOf(target, { connection }).restore(cx, source, requestOf())
  expect(seen.some((text) => text.includes('--defaults-file=') && text.includes(target.name))).toBe(true)
  expect(seen.filter((text) => text.includes(password))).toEqual([])
  await target.execute(`DROP USER '${user}'@'127.0.0.1'`)
})
