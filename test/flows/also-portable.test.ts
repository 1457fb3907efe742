import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { nativeParts, portablePart } from '../../src/catalog/parts.js'
import type { HoldfastConfig } from '../../src/config/config.js'
import type { ConnectorFactory, Dump } from '../../src/engine/connector.js'
import type { RowSource } from '../../src/engine/row-source.js'
import { sqliteDump } from '../../src/engines/sqlite/connectors/sqlite-dump.js'
import type { Holdfast } from '../../src/holdfast.js'
import { codeOf, loaderOf, needsPlaces, place, type Place } from './portable-places.js'
import { filesBelow, resultOf } from './workbench.js'

const schema = `CREATE TABLE item(id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);
  CREATE TABLE piece(id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES item(id));
  INSERT INTO item VALUES (1, 'Zoë ☕');
  INSERT INTO piece VALUES (1, 1);`

function shop(from: Place, to: Place, config: HoldfastConfig = {}) {
  return loaderOf({ shop: from, to }, undefined, config)
}

/** Backs up while somebody goes on adding rows. */
async function backedUpBusily(hf: Holdfast, from: Place) {
  let [next, done] = [2, false]
  const writer = async () => {
    while (!done) {
      const added = from.execute(`INSERT INTO item VALUES (${next}, 'later')`)
      if (await added.then(() => true, isLocked)) next += 1
      await pause(3)
    }
  }
  const writing = writer()
  try {
    while (next < 5) await pause(5)
    return resultOf(await hf.backup({ databases: ['shop'], alsoPortable: true, fingerprint: 'counts' }))
  } finally {
    done = true
    await writing
  }
}

/** Holdfast holds up writers of SQLite for a moment, and this one does not wait. */
function isLocked(error: Error): false {
  if (error.message.includes('locked')) return false
  throw error
}

describe('a backup with a portable dump beside it', () => {
  for (const [engine, connector] of [
    ['sqlite', 'sqlite-backup'],
    ['sqlite', 'sqlite-dump'],
    ['postgresql', 'pg-dump-custom'],
    ['postgresql', 'pg-parallel'],
    ['mariadb', 'mysql-parallel'],
    ['mysql', 'mysqldump'],
  ] as const) {
    const title = `holds rows of the same moment, which load into another database (${engine}, ${connector})`
    needsPlaces(engine).it(title, async () => {
      const [from, to] = [await place(engine, schema), await place('sqlite')]
      if (engine === 'sqlite') await from.execute('PRAGMA journal_mode = WAL')
      const { hf } = await shop(from, to, { databases: { shop: { connector } } })
      const { backup, warnings, portableBytes } = await backedUpBusily(hf, from)
      expect(warnings.filter((each) => each.startsWith('portable dump'))).toEqual([])
      expect(portableBytes).toBeGreaterThan(0)
      await hf.load({ database: 'to', fromBackup: 'latest', fromDatabase: 'shop', create: true })
      const tables = backup?.manifest.fingerprint?.tables ?? []
      const loaded = await Promise.all(
        tables.map(async ({ name }) => [name, (await to.ask(`SELECT count(*) FROM ${name}`))[0]?.[0]]),
      )
      expect(loaded).toEqual(tables.map(({ name, rows }) => [name, rows]))
      expect(loaded.find(([name]) => name === 'item')?.[1]).toBeGreaterThan(4)
    })
  }
})

needsPlaces('postgresql').it(
  'holds a table that is emptied as soon as the native dump has been made',
  async () => {
    const [from, to] = [await place('postgresql', schema), await place('sqlite')]
    let emptied: Promise<void> | undefined
    const { hf } = await loaderOf({ shop: from, to }, ({ type }) => {
      if (type === 'progress') emptied ??= from.execute('TRUNCATE piece')
    })
    resultOf(await hf.backup({ databases: ['shop'], alsoPortable: true, fingerprint: 'none' }))
    await emptied
    await hf.load({ database: 'to', fromBackup: 'latest', fromDatabase: 'shop', create: true })
    expect(await from.ask('SELECT count(*)::int FROM piece')).toEqual([[0]])
    expect(await to.ask('SELECT count(*) FROM piece')).toEqual([[1]])
  },
)

describe('such a backup', () => {
  it('is in one folder, is verified, restored without its portable part, and pruned as one', async () => {
    const [from, to] = [await place('sqlite', schema), await place('sqlite')]
    const { hf, folder } = await shop(from, to, { alsoPortable: true, retention: { last: 1 } })
    const { id, filename, backup } = resultOf(await hf.backup({ databases: ['shop'] }))
    const below = join(folder, 'backups/shop', filename)
    expect(filesBelow(below)).toEqual(['dump', 'portable.ndjson.zst'])
    const manifest = backup?.manifest
    expect(manifest?.parts.map(({ role }) => role)).toEqual(['dump', 'portable'])
    expect(manifest === undefined ? [] : nativeParts(manifest)).toHaveLength(1)
    const verified = await hf.verify({})
    expect(verified.results).toMatchObject([{ ok: true, result: { checked: true } }])

    // The file is a portable dump of its own, and the native one is found by its path, too.
    await hf.load({ database: 'to', input: join(below, 'portable.ndjson.zst'), create: true })
    expect(await to.content()).toEqual(await from.content())
    rmSync(join(below, 'portable.ndjson.zst'))
    expect((await hf.verify({})).results).toMatchObject([
      { ok: false, error: { code: 'integrity.missing-artifact' } },
    ])
    expect(await codeOf(hf.load({ database: 'to', fromBackup: id, confirm: true }))).toMatchObject({
      0: 'integrity.missing-artifact',
    })
    await from.execute('DELETE FROM piece')
    const restored = await hf.restore({ database: 'shop', backup: join(below, 'dump'), confirm: true })
    expect(restored.comparison).toMatchObject({ differences: [] })
    expect(await from.content()).toEqual(await to.content())

    await hf.backup({ databases: ['shop'], prune: true })
    expect(existsSync(below)).toBe(false)
  })

  it('leaves out what the native dump leaves out, and a load says what it is', async () => {
    const [from, to] = [await place('sqlite', schema), await place('sqlite')]
    await from.execute('CREATE TABLE log(line TEXT)')
    const { hf } = await shop(from, to, { databases: { shop: { connector: 'sqlite-dump' } } })
    resultOf(
      await hf.backup({ databases: ['shop'], alsoPortable: true, exclude: ['log'], excludeData: ['piece'] }),
    )
    await hf.load({ database: 'to', fromBackup: 'latest', fromDatabase: 'shop', create: true })
    expect(Object.entries(await to.content()).map(([name, content]) => `${name} ${content[0]}`)).toEqual([
      'item 1',
      'piece 0',
    ])
    const refused = await shop(from, { ...to, config: { ...to.config, protected: true } })
    await refused.hf.backup({
      databases: ['shop'],
      alsoPortable: true,
      connector: 'sqlite-dump',
      excludeData: ['piece'],
    })
    const request = { database: 'to', fromBackup: 'latest', fromDatabase: 'shop', confirm: () => true }
    expect(await codeOf(refused.hf.load(request))).toMatchObject({ 0: 'refused.protected' })
  })

  it('is a partial success where the portable dump fails, and nothing of that is kept', async () => {
    const [from, to] = [await place('sqlite', schema), await place('sqlite')]
    const broken = sharing((source) => ({
      ...source,
      async *rows(table, query) {
        yield* source.rows(table, query)
        if (table.table.name === 'piece') throw new Error('the server has gone away')
      },
    }))
    const config = {
      storages: { main: './main', other: './other' },
      databases: { shop: { connector: broken } },
    }
    const { hf, folder } = await shop(from, to, config)
    const [outcome] = await hf.backup({ databases: ['shop'], alsoPortable: true })
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'backup.partial', message: expect.stringContaining('holds no portable dump') as string },
      partial: { copies: [{ storage: 'main' }, { storage: 'other' }], failedStorages: [] },
    })
    const { filename = '', id = '' } = (outcome?.ok === false ? outcome.partial : undefined) ?? {}
    for (const storage of ['main', 'other']) {
      expect(filesBelow(join(folder, storage, 'shop'))).toEqual(
        [`${id}.manifest.json`, `${filename}/dump`].sort(),
      )
    }
    const manifest = await hf.show({ backup: id })
    expect(portablePart(manifest.manifest)).toBeUndefined()
    expect(manifest.manifest.warnings).toEqual(['portable dump: missing: the server has gone away'])
    expect((await hf.verify({ all: true })).results.map(({ ok }) => ok)).toEqual([true, true])
    expect(await codeOf(hf.load({ database: 'to', fromBackup: id }))).toEqual([
      'usage.not-supported',
      `backup ${id} holds no portable dump`,
    ])
  })

  it('says where the two are of different moments', async () => {
    const [from, to] = [await place('sqlite', schema), await place('sqlite')]
    const { hf } = await shop(from, to, { databases: { shop: { connector: sharing(() => undefined) } } })
    const shared = resultOf(await hf.backup({ databases: ['shop'], alsoPortable: true }))
    expect(shared.warnings).toEqual([
      'portable dump: of a moment of its own: the connector sqlite-dump shares none',
    ])
    const copied = await hf.backup({ databases: ['shop'], alsoPortable: true, connector: 'sqlite-copy' })
    expect(resultOf(copied).warnings).toEqual([
      'portable dump: of a moment of its own: sqlite-copy reads the file under a lock of its own',
    ])
    await hf.load({ database: 'to', fromBackup: 'latest', fromDatabase: 'shop', create: true })
    expect(await to.content()).toEqual(await from.content())
  })

  it('is not loaded where its bytes are others than those of the backup', async () => {
    const [from, to] = [await place('sqlite', schema), await place('sqlite', schema)]
    const { hf, folder } = await shop(from, to, { compress: 'none' })
    const { filename } = resultOf(await hf.backup({ databases: ['shop'], alsoPortable: true }))
    const file = join(folder, 'backups/shop', filename, 'portable.ndjson')
    writeFileSync(file, readFileSync(file, 'utf8').replace('Zoë', 'Zoe'))
    const before = await to.content()
    const request = { database: 'to', fromBackup: 'latest', fromDatabase: 'shop', confirm: true }
    expect((await codeOf(hf.load(request)))[0]).toMatch(/^integrity\./u)
    expect(await to.content()).toEqual(before)
  })
})

/** `sqlite-dump` with other rows beside it, or none. */
function sharing(change: (source: RowSource) => RowSource | undefined): ConnectorFactory {
  return {
    ...sqliteDump,
    create(settings) {
      const connector = sqliteDump.create(settings)
      return {
        ...connector,
        async dump(cx, { rows, ...request }) {
          const changed = change(noRows) !== undefined
          const dump = await connector.dump(cx, changed && rows === true ? { ...request, rows } : request)
          return changed ? withRows(dump, change) : { parts: dump.parts, facts: () => dump.facts() }
        },
      }
    },
  }
}

const noRows: RowSource = {
  tables: () => Promise.resolve([]),
  warnings: [],
  rows: () => (async function* () {})(),
  close: () => Promise.resolve(),
}

function withRows(dump: Dump, change: (source: RowSource) => RowSource | undefined): Dump {
  return {
    ...dump,
    rows() {
      const source = dump.rows?.().source
      const changed = source === undefined ? undefined : change(source)
      return changed === undefined ? {} : { source: changed }
    },
  }
}
