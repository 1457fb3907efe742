import { afterAll, describe, expect, it } from 'vitest'
import { dump, restore } from './test-connector.js'
import { removeTestFolders, TestDatabase } from './test-database.js'

afterAll(removeTestFolders)

const definitions = `
  CREATE TABLE author(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, upper TEXT AS (upper(name)) STORED);
  CREATE TABLE book(author INTEGER REFERENCES author, title TEXT, "odd ""name" BLOB);
  CREATE TABLE pairs(a, b, PRIMARY KEY (b, a)) WITHOUT ROWID;
  CREATE INDEX by_title ON book(title);
  CREATE VIEW titles AS SELECT title FROM book;
  CREATE TABLE log(what);
  CREATE TRIGGER told AFTER INSERT ON book BEGIN INSERT INTO log VALUES (new.title); END;`

/** What a backup is made of, and the same database later. */
async function made() {
  const source = new TestDatabase()
  source.run(`${definitions}
    INSERT INTO author(id, name) VALUES (1, 'Ada'), (2, 'Grace'), (9, 'gone'); DELETE FROM author WHERE id = 9;
    INSERT INTO book(rowid, author, title, "odd ""name") VALUES (5, 1, 'one', x'00ff'), (7, 2, 'two', NULL);
    INSERT INTO pairs VALUES (1, 2), (3, 4); DELETE FROM log`)
  const { bytes } = await dump('sqlite-backup', source)
  const target = new TestDatabase()
  target.run(`${definitions}
    INSERT INTO author(id, name) VALUES (1, 'Ada'); INSERT INTO book(author, title) VALUES (1, 'late'); DELETE FROM log;
    INSERT INTO log VALUES ('mine'); DROP INDEX by_title; DROP VIEW titles; DROP TRIGGER told; ALTER TABLE book ADD COLUMN later;
    CREATE TABLE mine(a); INSERT INTO mine VALUES (1)`)
  return { bytes, source, target }
}

describe('a part of a SQLite backup', () => {
  const all = 'SELECT rowid, author, title, "odd ""name" FROM book'
  const books = [
    [5n, 1n, 'one', Uint8Array.of(0, 255)],
    [7n, 2n, 'two', null],
  ]
  const objects = (database: TestDatabase) =>
    database.rows("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")

  it('tables come back with indexes, triggers, rowids and counters; what else is there stays', async () => {
    const { bytes, source, target } = await made()
    const { warnings } = await restore('sqlite-backup', target, bytes, { tables: ['bo*', 'titles'] })
    expect(target.rows(all)).toEqual(books)
    // The author of the second book was not asked for.
    expect(warnings).toEqual(['1 rows of book refer to rows of author that are not there'])
    expect(target.rows('SELECT * FROM log UNION ALL SELECT a FROM mine')).toEqual([['mine'], [1n]])
    await restore('sqlite-backup', target, bytes, { tables: ['author', 'pairs'] })
    expect(target.rows('SELECT id, name, upper FROM author')).toEqual([
      [1n, 'Ada', 'ADA'],
      [2n, 'Grace', 'GRACE'],
    ])
    expect(target.rows('SELECT * FROM pairs')).toEqual([
      [1n, 2n],
      [3n, 4n],
    ])
    expect(target.rows('SELECT name, seq FROM sqlite_sequence')).toEqual([['author', 9n]])
    target.run('DROP TABLE mine')
    expect(objects(target)).toEqual(objects(source))
    expect(target.rows('PRAGMA integrity_check')).toEqual([['ok']])
  })

  it('definitions or rows alone; rows fire no triggers', async () => {
    const { bytes, source } = await made()
    source.run(`INSERT INTO book(author, title) VALUES (1, 'late'); DELETE FROM log`)
    await restore('sqlite-backup', source, bytes, { tables: ['book'], dataOnly: true })
    expect([source.rows(all), source.rows('SELECT * FROM log')]).toEqual([books, []])
    const before = objects(source)
    await restore('sqlite-backup', source, bytes, { tables: ['book'], schemaOnly: true })
    expect([source.rows(all), objects(source)]).toEqual([[], before])
  })

  it.each([
    [{ tables: ['book'], clean: 'none' as const }, 'refused.not-empty'],
    [{ tables: ['book', 'none'] }, 'usage.pattern-unmatched'],
    [{ dataOnly: true }, 'database.requirement-missing'],
  ])('what cannot be leaves the database as it was: %j', async (request, code) => {
    const { bytes, target } = await made()
    target.run('DROP TABLE pairs')
    const before = await target.digest()
    await expect(restore('sqlite-backup', target, bytes, request)).rejects.toMatchObject({ code })
    expect(await target.digest()).toEqual(before)
  })
})
