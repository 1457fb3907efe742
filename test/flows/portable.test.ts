import { execFileSync } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  codeOf,
  footer,
  loaderOf,
  needsPlaces,
  place,
  placeNames,
  type PlaceName,
} from './portable-places.js'
import { needsTool } from '../servers/needs.js'
import { listener, testFolder } from './workbench.js'

/** People with bosses who come later, and their visits: self-references, keys, texts, blobs, wide numbers. */
const sample = `
  CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(40) NOT NULL UNIQUE, weight REAL, photo BLOB,
    boss INTEGER REFERENCES person(id));
  CREATE TABLE visit(person INTEGER NOT NULL REFERENCES person(id), day VARCHAR(20), note TEXT, PRIMARY KEY (person, day));
  INSERT INTO person VALUES (1, 'Ada', 1.5, x'00ff', 2), (2, 'Zoë ☕', -0.1, NULL, NULL),
    (9007199254740993, '', NULL, x'', 1);
  INSERT INTO visit VALUES (1, '2024-01-01', 'a' || char(10) || char(8232) || char(133) || '"\\'), (2, '', NULL),
    (9007199254740993, 'a''b', '');`

describe('a portable dump', () => {
  it('is a folder of files that load into another database as they were, next ids included', async () => {
    const places = { from: await place('sqlite', sample), to: await place('sqlite') }
    const { hf, folder } = await loaderOf(places)
    const dumped = await hf.dump({ database: 'from' })
    expect(dumped).toMatchObject({ output: join(folder, 'datadir'), rows: 6 })
    expect(dumped.tables.map(({ table, rows }) => [table, rows])).toEqual([
      ['person', 3],
      ['visit', 3],
    ])
    expect(readdirSync(join(folder, 'datadir/tables')).sort()).toEqual(['person.ndjson', 'visit.ndjson'])
    const loaded = await hf.load({ database: 'to', create: true })
    expect(loaded).toMatchObject({ loaded: true, losses: [], unknownTables: [] })
    expect(await places.to.content()).toEqual(await places.from.content())
    await places.to.execute("INSERT INTO person(name) VALUES ('next')")
    expect(await places.to.ask('SELECT CAST(max(id) AS TEXT) FROM person')).toEqual([['9007199254740994']])
  })

  it('is a stream as well, or compressed, and says how far it has come', async () => {
    const places = { from: await place('sqlite', sample), to: await place('sqlite', sample) }
    const told = listener()
    const { hf, folder } = await loaderOf(places, told.emit)
    const stream = new PassThrough()
    const bytes = buffer(stream)
    await hf.dump({ database: 'from', output: stream })
    stream.end()
    writeFileSync(join(folder, 'copy.ndjson'), await bytes)
    for (const compress of ['zstd:3', 'gzip']) {
      await hf.dump({ database: 'from', output: compress.slice(0, 2), compress })
    }
    // The name of a file says how it is compressed; for reading its content does.
    await hf.dump({ database: 'from', output: 'new/folder/one.ndjson.zst' })
    const inFile = hf.dump({ database: 'from', output: 'new/folder/one.ndjson.zst/two.ndjson' })
    await expect(inFile).rejects.toMatchObject({ code: 'storage.exists' })
    expect(readFileSync(join(folder, 'new/folder/one.ndjson.zst')).readUInt32LE()).toBe(0xfd2fb528)
    renameSync(join(folder, 'new/folder/one.ndjson.zst'), join(folder, 'renamed.ndjson'))
    for (const [output, compress] of [
      ['two.ndjson', 'zstd'],
      ['two.ndjson.gz', 'zstd'],
      ['two.ndjson.gz', 'none'],
      ['two.ndjson.rar', undefined],
    ] as const) {
      const request = { database: 'from', output, ...(compress === undefined ? {} : { compress }) }
      expect((await codeOf(hf.dump(request)))[0]).toBe('usage.invalid')
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('two'))).toEqual([])
    await places.to.execute('DELETE FROM visit; UPDATE person SET weight = 7')
    // A stream as well: once, or more than once compressed.
    await pipeline(
      createReadStream(join(folder, 'renamed.ndjson')),
      createGzip(),
      createWriteStream(join(folder, 'twice.gz')),
    )
    const streams = ['copy.ndjson', 'renamed.ndjson', 'twice.gz'].map((name) =>
      createReadStream(join(folder, name)),
    )
    for (const input of ['copy.ndjson', 'renamed.ndjson', 'zs', 'gz', ...streams]) {
      await places.to.execute('DELETE FROM visit')
      await hf.load({ database: 'to', input, confirm: true })
      expect(await places.to.content()).toEqual(await places.from.content())
    }
    expect(told.notices).toEqual([])
    expect(told.progress.length).toBeGreaterThan(0)
  })

  it('is loaded into a file that is not there with create, and a dry run leaves it away', async () => {
    const tables = `CREATE TABLE knex_migrations(id INTEGER PRIMARY KEY, name TEXT, batch INTEGER, migration_time TEXT);
      INSERT INTO knex_migrations(name, batch) VALUES ('001_first.js', 1);`
    const from = await place('sqlite', sample + tables)
    const path = join(await testFolder(), 'new.db')
    const to = { ...from, config: { url: `sqlite:${path}` } }
    const { hf, folder } = await loaderOf({ from, to })
    await hf.dump({ database: 'from' })
    expect((await codeOf(hf.load({ database: 'to', dryRun: true })))[0]).toBe('database.not-found')
    const dry = await hf.load({ database: 'to', dryRun: true, create: true })
    expect(dry).toMatchObject({
      loaded: false,
      tables: [
        { created: true, rows: 3 },
        { created: true, rows: 3 },
      ],
    })
    expect(existsSync(path)).toBe(false)
    const rename = { 'person.number': 'id', 'visit.who': 'person' }
    expect(await hf.load({ database: 'to', create: true, rename })).toMatchObject({ loaded: true })
    expect(existsSync(path)).toBe(true)
    await hf.dump({ database: 'to', output: 'renamed' })
    const [before, after] = ['datadir', 'renamed'].map((name) =>
      readFileSync(join(folder, name, 'tables/visit.ndjson'), 'utf8'),
    )
    const [header, ...rows] = after?.split('\n').slice(0, -2) ?? []
    expect(header).toContain('"fk":[{"cols":["who"],"table":"person","refs":["number"]}]')
    expect(before?.split('\n').slice(1, -2)).toEqual(rows)
  })

  needsTool('tar').it('is a tar archive as well, of our making or of anybody else', async () => {
    const places = { from: await place('sqlite', sample), to: await place('sqlite', sample) }
    const { hf, folder } = await loaderOf(places)
    const tar = (...args: readonly string[]) =>
      execFileSync('tar', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    const load = (input: string) => codeOf(hf.load({ database: 'to', input, confirm: true }))
    const loaded = async (input: string) => {
      await places.to.execute('DELETE FROM visit; UPDATE person SET weight = 7')
      expect(await load(input)).toEqual(['none', 'it has worked'])
      expect(await places.to.content()).toEqual(await places.from.content())
    }
    const report = await hf.dump({ database: 'from', output: 'new/dump.tar' })
    const size = statSync(join(folder, 'new/dump.tar')).size
    expect(report).toMatchObject({ output: join(folder, 'new/dump.tar'), bytes: size })
    const names = ['tables/person.ndjson', 'tables/visit.ndjson', 'manifest.json']
    expect(tar('tf', 'new/dump.tar').trim().split('\n')).toEqual(names)
    await loaded('new/dump.tar')
    tar('xf', 'new/dump.tar')
    await hf.dump({ database: 'from', output: 'datadir' })
    for (const name of names.slice(0, 2))
      expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(folder, 'datadir', name)))
    await hf.dump({ database: 'from', output: 'packed.tar', compress: 'zstd' })
    expect(tar('tf', 'packed.tar')).toContain('tables/visit.ndjson.zst\n')
    await loaded('packed.tar')
    for (const [format, what] of [
      ['gnu', 'datadir'],
      ['pax', './datadir'],
    ] as const) {
      tar('cf', 'other.tar', `--format=${format}`, what)
      await loaded('other.tar')
    }
    tar('czf', 'other.tar.gz', 'datadir')
    expect(await load('other.tar.gz')).toMatchObject([
      'usage.not-supported',
      expect.stringContaining('has to be unpacked'),
    ])
    const code = async (work: Promise<unknown>) => (await codeOf(work))[0]
    expect(await code(hf.dump({ database: 'from', output: 'no.tar.zst' }))).toBe('usage.invalid')
    expect(await code(hf.reseal({ paths: ['packed.tar'] }))).toBe('usage.not-supported')
    tar('cf', 'part.tar', 'datadir/manifest.json', 'datadir/tables/person.ndjson')
    expect(await load('part.tar')).toMatchObject([
      'integrity.missing-artifact',
      expect.stringContaining('visit.ndjson'),
    ])
    tar('cf', 'none.tar', 'datadir/tables')
    expect((await load('none.tar'))[0]).toBe('integrity.missing-artifact')
    truncateSync(join(folder, 'new/dump.tar'), size - 1024)
    expect((await load('new/dump.tar'))[0]).toBe('integrity.truncated')
    expect(await places.to.content()).toEqual(await places.from.content())
    const where = { person: 'no such column' }
    expect(await code(hf.dump({ database: 'from', output: 'other.tar', where }))).toBe(
      'database.query-failed',
    )
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
    await loaded('other.tar')
  })

  it.skipIf(process.platform !== 'linux')(
    'is on the disk before it has its name, and the name before success is told',
    async () => {
      const { hf, folder } = await loaderOf({ from: await place('sqlite', sample) })
      const handle = await open(folder)
      const synced: string[] = []
      const path = (fd: number) => relative(folder, readlinkSync(`/proc/self/fd/${fd}`))
      const prototype = Object.getPrototypeOf(handle) as FileHandle
      await handle.close()
      const sync = vi.spyOn(prototype, 'sync').mockImplementation(function (this: FileHandle) {
        const name = path(this.fd)
        synced.push(
          statSync(join(folder, name)).isDirectory()
            ? `${name || '.'}: ${readdirSync(join(folder, name))
                .filter((each) => !each.endsWith('.partial'))
                .sort()
                .join()}`
            : name,
        )
        return this.datasync()
      })
      onTestFinished(() => sync.mockRestore())
      await hf.dump({ output: 'new/out' })
      expect(synced.splice(0)).toEqual([
        'new/out: tables',
        'new: out',
        '.: new',
        'new/out/tables/person.ndjson.partial',
        'new/out/tables/visit.ndjson.partial',
        'new/out/manifest.json.partial',
        'new/out/tables: person.ndjson,visit.ndjson',
        'new/out: manifest.json,tables',
      ])
      await hf.dump({ output: 'one.ndjson' })
      expect(synced.splice(0)).toEqual(['one.ndjson.partial', '.: new,one.ndjson'])
      await hf.reseal({ paths: ['new/out/tables/visit.ndjson'] })
      expect(synced).toEqual([
        'new/out/tables/visit.ndjson.partial',
        'new/out/tables: person.ndjson,visit.ndjson',
      ])
    },
  )

  it('writes over an earlier dump only when the new one is whole', async () => {
    const places = { from: await place('sqlite', sample) }
    const { hf, folder } = await loaderOf(places)
    await hf.dump()
    const before = readFileSync(join(folder, 'datadir/tables/person.ndjson'), 'utf8')
    await places.from.execute('UPDATE person SET weight = 3')
    expect(await codeOf(hf.dump({ where: { visit: 'no such column' } }))).toMatchObject({
      0: 'database.query-failed',
    })
    expect(readFileSync(join(folder, 'datadir/tables/person.ndjson'), 'utf8')).toBe(before)
    expect(readdirSync(join(folder, 'datadir/tables')).sort()).toEqual(['person.ndjson', 'visit.ndjson'])
    await hf.dump({ tables: ['person'] })
    expect(readdirSync(join(folder, 'datadir/tables'))).toEqual(['person.ndjson'])
  })
})

needsPlaces('postgresql', 'mariadb').describe('a portable dump across engines', () => {
  it('goes from SQLite to PostgreSQL to MariaDB to SQLite, and is the same by digest everywhere', async () => {
    const places = {
      sqlite: await place('sqlite', sample),
      postgresql: await place('postgresql'),
      mariadb: await place('mariadb'),
      last: await place('sqlite'),
    }
    const { hf } = await loaderOf(places)
    const expected = await places.sqlite.content()
    const route: readonly (keyof typeof places)[] = ['sqlite', 'postgresql', 'mariadb', 'last']
    for (const [index, to] of route.slice(1).entries()) {
      const from = route[index] ?? to
      await hf.dump({ database: from, output: `${from}-dump` })
      await hf.load({ database: to, input: `${from}-dump`, create: true, acceptLossy: true })
      expect([to, await places[to].content()]).toEqual([to, expected])
    }
    await places.mariadb.execute('DELETE FROM visit')
    await hf.copy({ from: 'postgresql', to: 'mariadb', confirm: true })
    expect(await places.mariadb.content()).toEqual(expected)
  })
})

const tablesOfMysql = `
    CREATE TABLE parent(id bigint PRIMARY KEY AUTO_INCREMENT, name varchar(5) UNIQUE NOT NULL);
    CREATE TABLE child(id bigint PRIMARY KEY, parent bigint NOT NULL, day date, FOREIGN KEY (parent) REFERENCES parent(id));\n`
const schemas: Readonly<Record<PlaceName, string>> = {
  sqlite: `CREATE TABLE parent(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL CHECK (length(name) < 6));
    CREATE TABLE child(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent(id), day DATE);\n`,
  postgresql: `CREATE TABLE parent(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(5) UNIQUE NOT NULL);
    CREATE TABLE child(id bigint PRIMARY KEY, parent bigint NOT NULL REFERENCES parent(id), day date);\n`,
  mariadb: tablesOfMysql,
  mysql: tablesOfMysql,
}
const dumpOfTwo: Readonly<Record<'parent' | 'child', readonly string[]>> = {
  parent: [
    '{"holdfast":1,"table":"parent","cols":[{"n":"id","t":"i64","pk":1},{"n":"name","t":"text","null":false}],"seq":{"id":{"next":"90","inc":"1"}}}',
    '[11,"a"]',
    '[12,"b"]',
    '[13,"c"]',
  ],
  child: [
    '{"holdfast":1,"table":"child","cols":[{"n":"id","t":"i64","pk":1},{"n":"parent","t":"i64","null":false},{"n":"day","t":"date"}],"fk":[{"cols":["parent"],"table":"parent","refs":["id"]}]}',
    '[1,1,"2024-02-29"]',
    '[2,1,null]',
    '[3,2,"2024-12-31"]',
  ],
}

for (const engine of placeNames) {
  needsPlaces(engine).describe(`a load into ${engine} that fails`, () => {
    it('leaves rows and next ids as they were, whichever row it is, and names file and line', async () => {
      const target = await place(engine, schemas[engine])
      await target.execute("INSERT INTO parent(name) VALUES ('old'), ('older')")
      await target.execute('INSERT INTO child VALUES (7, 2, NULL)')
      const { hf, folder } = await loaderOf({ target })
      const before = await target.content()
      /** The dump with a line in another's place, sealed as its writer would have. */
      const attempt = async (table: 'parent' | 'child', line: number, text: string) => {
        for (const name of ['parent', 'child'] as const) {
          const lines = [...dumpOfTwo[name]]
          if (name === table) lines[line - 1] = text
          writeFileSync(join(folder, `${name}.ndjson`), `${lines.join('\n')}\n${footer(name, lines)}\n`)
        }
        writeFileSync(
          join(folder, 'both.ndjson'),
          readFileSync(join(folder, 'parent.ndjson'), 'utf8') +
            readFileSync(join(folder, 'child.ndjson'), 'utf8'),
        )
        const failed = await codeOf(
          hf.load({
            input: join(folder, `${table}.ndjson`),
            acceptEdits: true,
            confirm: true,
            mode: 'append',
          }),
        )
        expect(await target.content()).toEqual(before)
        return failed
      }
      for (const line of [2, 3, 4]) {
        // SQLite holds a text of any length in any column, unless a check says otherwise.
        expect(await attempt('parent', line, '[9,"too long a name"]')).toMatchObject([
          engine === 'sqlite' ? 'refused.constraint' : 'refused.cells',
          expect.stringContaining(`parent.ndjson:${line}: ${engine === 'sqlite' ? 'parent' : 'name'}`),
        ])
        expect(await attempt('parent', line, '[9007199254740993,"x"]')).toMatchObject([
          'integrity.format',
          expect.stringContaining(`parent.ndjson:${line}`),
        ])
        expect(await attempt('parent', line, '[2,"x"]')).toMatchObject({ 0: 'refused.constraint' })
        expect(await attempt('child', line, '[9,1,"2024-02-30"]')).toMatchObject([
          'refused.cells',
          expect.stringContaining(`child.ndjson:${line}: day`),
        ])
        expect(await attempt('child', line, '[9,77,null]')).toMatchObject({ 0: 'refused.constraint' })
      }
      await target.execute("INSERT INTO parent(name) VALUES ('next')")
      expect((await target.ask("SELECT id FROM parent WHERE name = 'next'")).flat().map(Number)).toEqual([3])
    })
  })
}

describe('a dump that is not as it was written', () => {
  async function dumped() {
    const places = { from: await place('sqlite', sample), to: await place('sqlite', sample) }
    const { hf, folder } = await loaderOf(places)
    await hf.dump({ database: 'from' })
    const file = join(folder, 'datadir/tables/visit.ndjson')
    const edit = (from: string | RegExp, to: string) =>
      writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
    const loaded = (more = {}) => codeOf(hf.load({ database: 'to', confirm: true, ...more }))
    return { ...places, hf, folder, file, edit, loaded, before: await places.to.content() }
  }

  it('is refused where it is cut, wherever that is', async () => {
    const { file, loaded, to, before } = await dumped()
    const whole = readFileSync(file)
    const size = statSync(file).size
    for (const length of [0, 40, whole.indexOf('\n') + 1, size - 300, size - 100, size - 1]) {
      writeFileSync(file, whole)
      truncateSync(file, length)
      expect([length, (await loaded())[0]]).toEqual([length, 'integrity.truncated'])
    }
    expect(await to.content()).toEqual(before)
  })

  it('is refused where it was edited, taken with acceptEdits, and again after a reseal', async () => {
    const { edit, loaded, hf, to } = await dumped()
    edit('2024-01-01', '2024-01-02')
    expect(await loaded()).toMatchObject(['integrity.checksum', expect.stringContaining('visit was edited')])
    expect((await loaded({ acceptEdits: true }))[0]).toBe('none')
    expect(await to.ask('SELECT day FROM visit WHERE person = 1')).toEqual([['2024-01-02']])
    // A text that becomes the column's number.
    edit('[2,"",null]\n', '[2,"",null]\n["2", "spaced",  null]\n')
    expect((await loaded())[0]).toBe('integrity.checksum')
    expect((await hf.reseal()).files.map(({ rows, changed }) => [rows, changed])).toEqual([
      [3, false],
      [4, true],
    ])
    expect((await loaded())[0]).toBe('none')
    edit(/"sum64":"\w+/u, '"sum64":"0123456789abcdef')
    expect(await loaded()).toMatchObject([
      'integrity.checksum',
      expect.stringContaining('holds other values'),
    ])
  })

  it('is refused where a line is no row, naming file and line, and a reseal leaves it', async () => {
    const { edit, file, loaded, hf, to, before } = await dumped()
    for (const [line, said] of [
      ['[2,""]', 'visit.ndjson:3: 2 cells instead of 3'],
      ['[2,"",nul]', 'visit.ndjson:3: not JSON'],
      ['DROP TABLE visit;', 'visit.ndjson:3: not JSON'],
      ['{"a":1}', 'visit.ndjson:3: neither a row nor the footer'],
    ] as const) {
      edit('[2,"",null]', line)
      expect(await loaded({ acceptEdits: true })).toMatchObject([
        'integrity.format',
        expect.stringContaining(said),
      ])
      const edited = readFileSync(file, 'utf8')
      expect((await codeOf(hf.reseal()))[1]).toContain(said)
      expect(readFileSync(file, 'utf8')).toBe(edited)
      edit(line, '[2,"",null]')
    }
    expect(await to.content()).toEqual(before)
  })

  it('is refused where its format is newer, or a default rule is unknown', async () => {
    const { edit, loaded, to, before } = await dumped()
    edit('"holdfast":1', '"holdfast":2')
    expect(await loaded({ acceptEdits: true })).toMatchObject([
      'integrity.newer-format',
      expect.stringContaining('visit.ndjson:1'),
    ])
    edit('"holdfast":2', '"holdfast":1,"default":{"day":["tomorrow","now"]}')
    expect(await loaded({ acceptEdits: true })).toMatchObject([
      'integrity.format',
      expect.stringMatching(/visit\.ndjson:1: .*tomorrow/u),
    ])
    expect(await to.content()).toEqual(before)
  })

  it('is refused where a table is not there, or rows of it are needed elsewhere', async () => {
    const { hf, to, before } = await dumped()
    expect(await codeOf(hf.load({ database: 'to', tables: ['nobody'] }))).toMatchObject([
      'usage.pattern-unmatched',
      'no table is called nobody',
    ])
    expect(await codeOf(hf.load({ database: 'to', tables: ['person'], confirm: true }))).toMatchObject({
      0: 'refused.referenced',
    })
    expect(await to.content()).toEqual(before)
    await to.execute('DROP TABLE visit')
    expect(await codeOf(hf.load({ database: 'to', confirm: true }))).toMatchObject([
      'refused.schema',
      'the target has no table visit',
    ])
    expect(await to.content()).toEqual({ person: before['person'] })
    expect(await hf.load({ database: 'to', confirm: true, ignoreUnknown: true })).toMatchObject({
      unknownTables: ['visit'],
    })
    expect(await codeOf(hf.load({ database: 'to' }))).toMatchObject({ 0: 'refused.schema' })
    expect(await codeOf(hf.load({ database: 'to', ignoreUnknown: true }))).toMatchObject({
      0: 'refused.not-confirmed',
    })
  })
})
