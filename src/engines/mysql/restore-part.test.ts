import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { families } from '../../../test/servers/mysql-families.js'
import type { Connector, RestoreRequest, RestoreSource } from '../../engine/connector.js'
import { dumpRequest, partsSource, readDump } from '../../testing/connector-workbench.js'
import { connectorOf, parallelConnectorOf, requestOf, scratchContext, sourceOf } from './test-connector.js'
import { ScratchDatabase } from './test-database.js'

const cx = scratchContext()
/** Without what depends on the database's name and defaults. */
const schemaOf = async (database: ScratchDatabase) =>
  (await database.schemaText())
    .replaceAll(`\`${database.name}\`.`, '')
    .replace(/"DATABASE_COLLATION": "\w+"/gu, '')

/** What looks like the beginning of a section, where it is none. */
const decoy =
  '\n--\n-- Table structure for table `book`\n--\nDROP TABLE book;\n-- Dumping data for table `log`\n'

const definitions = (product: 'mariadb' | 'mysql') => [
  ...(product === 'mariadb'
    ? ['CREATE SEQUENCE numbers START WITH 5', 'CREATE TABLE past (i INT) WITH SYSTEM VERSIONING']
    : []),
  `CREATE TABLE author (id INT PRIMARY KEY AUTO_INCREMENT, name TEXT${product === 'mariadb' ? ', n INT DEFAULT NEXTVAL(numbers)' : ''})`,
  'CREATE TABLE book (id INT PRIMARY KEY, author INT, title MEDIUMTEXT, KEY by_title (title(9)), CONSTRAINT wrote FOREIGN KEY (author) REFERENCES author (id))',
  'CREATE TABLE log (what MEDIUMTEXT)',
  'CREATE TABLE `odd ``na-me` (i INT)',
  'CREATE VIEW titles AS SELECT book.title FROM book JOIN author ON author.id = book.author',
  `CREATE FUNCTION same(i INT) RETURNS INT DETERMINISTIC BEGIN /* ${decoy} */ RETURN i; END`,
  'CREATE EVENT later ON SCHEDULE EVERY 1 DAY STARTS "2030-01-01 00:00:00" DO DELETE FROM log',
  `CREATE TRIGGER told AFTER INSERT ON book FOR EACH ROW BEGIN /* ${decoy} */ INSERT INTO log VALUES (NEW.title); END`,
  'CREATE TRIGGER gone BEFORE DELETE ON `odd ``na-me` FOR EACH ROW SET @gone = 1',
]

const connectors: Readonly<Record<string, (database: ScratchDatabase) => Connector>> = {
  mysqldump: connectorOf,
  'mysql-parallel': parallelConnectorOf,
}

for (const { engine: product, needs, address } of families) {
  needs.describe(`a part of a dump of ${product}`, () => {
    const made: ScratchDatabase[] = []
    let source: ScratchDatabase
    const dumps = new Map<string, RestoreSource>()

    const scratch = async (statements: readonly string[] = []) => {
      const database = await new ScratchDatabase(address(), product).create()
      made.push(database)
      await database.run(statements)
      return database
    }
    const restore = (name: string, target: ScratchDatabase, request: Partial<RestoreRequest>) =>
      (connectors[name] as typeof connectorOf)(target).restore(
        cx,
        dumps.get(name) as RestoreSource,
        requestOf(request),
      )

    beforeAll(async () => {
      source = await scratch([
        ...definitions(product),
        ...(product === 'mariadb'
          ? ['INSERT INTO past VALUES (1)', 'UPDATE past SET i = 2', 'DO NEXTVAL(numbers)']
          : []),
        "INSERT INTO author (id, name) VALUES (1, 'Ada'), (2, 'Grace')",
        `INSERT INTO book VALUES (1, 1, 'one'), (2, 2, '${decoy}'), (3, 2, REPEAT('long', 50000))`,
        "INSERT INTO log VALUES ('mine')",
        'INSERT INTO `odd ``na-me` VALUES (7)',
      ])
      for (const [name, connector] of Object.entries(connectors))
        dumps.set(name, partsSource(await readDump(await connector(source).dump(cx, dumpRequest()))))
    })
    afterAll(async () => {
      for (const database of made) await database.drop()
    })

    describe.each(Object.keys(connectors))('by %s', (name) => {
      it('tables come back with their indexes and triggers; all else stays', async () => {
        const target = await scratch([
          ...definitions(product),
          ...[
            'DROP TRIGGER told',
            'DROP VIEW titles',
            'ALTER TABLE book DROP KEY by_title, ADD COLUMN later INT',
          ],
          ...["INSERT INTO log VALUES ('theirs')", 'DROP FUNCTION same', 'CREATE TABLE mine (i INT)'],
        ])
        await target.execute(`ALTER DATABASE ${target.name} CHARACTER SET latin2`)
        const request = { tables: ['book', 'titles', 'odd*'] }
        const connector = (connectors[name] as typeof connectorOf)(target)
        const plan = await connector.prepareRestore(cx, dumps.get(name) as RestoreSource, requestOf(request))
        expect(plan.losses).toEqual([expect.stringMatching(/^replaced in \S+, .*: book, odd `na-me$/u)])
        expect(plan.warnings).toContain(
          'what is restored needs what is not restored with it, and the target has to have: table author',
        )
        const before = await target.digest()
        await restore(name, target, request)
        const wanted = await source.digest()
        expect(await target.digest()).toEqual({
          ...before,
          book: wanted['book'],
          'odd `na-me': wanted['odd `na-me'],
        })
        expect(
          await target.column(
            'SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1',
          ),
        ).toEqual(['gone', 'told'])
        expect(await target.column('SELECT title FROM titles')).toEqual([])
        expect(await target.column('SELECT @@character_set_database')).toEqual(['latin2'])
        await target.execute(`ALTER DATABASE ${target.name} CHARACTER SET utf8mb4; DROP TABLE mine`)
        await restore(name, target, {
          tables: ['author', 'log', ...(product === 'mariadb' ? ['past', 'numbers'] : [])],
        })
        expect(await target.digest()).toEqual(wanted)
        await target.execute(
          `CREATE FUNCTION same(i INT) RETURNS INT DETERMINISTIC BEGIN /* ${decoy} */ RETURN i; END`,
        )
        expect(await schemaOf(target)).toBe(await schemaOf(source))
      })

      it('definitions alone, then rows alone, make the whole', async () => {
        const target = await scratch()
        await restore(name, target, { schemaOnly: true })
        expect(
          await target.column('SELECT COUNT(*) FROM author UNION ALL SELECT COUNT(*) FROM book'),
        ).toEqual(['0', '0'])
        const refused = restore(name, target, { dataOnly: true })
        await expect(refused).rejects.toMatchObject({
          code: 'usage.not-supported',
          message: expect.stringContaining('told of book') as string,
        })
        await target.run([
          'DROP TRIGGER told',
          'INSERT INTO author (id, name) VALUES (1, "other")',
          'DELETE FROM author',
        ])
        for (let again = 0; again < 2; again++) await restore(name, target, { dataOnly: true })
        expect(await target.digest()).toEqual(await source.digest())
        await target.run([definitions(product).find((each) => each.includes('TRIGGER told')) ?? ''])
        expect(await schemaOf(target)).toBe(await schemaOf(source))
      })

      it.each<[Partial<RestoreRequest>, string]>([
        [{ tables: ['book', 'nowhere'] }, 'usage.pattern-unmatched'],
        [{ tables: ['author'], clean: 'none' }, 'refused.not-empty'],
        [{ dataOnly: true, tables: ['book'] }, 'database.requirement-missing'],
        [{ dataOnly: true, schemaOnly: true }, 'usage.invalid'],
        [{ dataOnly: true, clean: 'database' }, 'usage.invalid'],
        [{ dataOnly: true, create: true }, 'usage.invalid'],
      ])('%j is refused, and leaves the database as it was', async (request, code) => {
        const target = await scratch(['CREATE TABLE author (id INT)', 'INSERT INTO author VALUES (5)'])
        const before = [await target.digest(), await target.schemaText()]
        await expect(restore(name, target, request)).rejects.toMatchObject({ code })
        expect([await target.digest(), await target.schemaText()]).toEqual(before)
      })
    })

    it('a table of another database in the dump is never taken for one of this', async () => {
      const target = await scratch(['CREATE TABLE author (id INT)', 'INSERT INTO author VALUES (5)'])
      const [dump] = await readDump(await connectorOf(source).dump(cx, dumpRequest()))
      const text = dump?.bytes.toString() ?? ''
      const [, sections = ''] =
        /(^--\n-- (?:Table|Sequence) structure.*)^\/\*!40103 SET TIME_ZONE=@OLD/msu.exec(text) ?? []
      // As --databases writes it, between the sections.
      const other = `--\n-- Current Database: \`other\`\n--\n\nUSE \`other\`;\n\n`
      const two = text.replace(sections, () => `${sections}${other}${sections}`)
      const refused = connectorOf(target).restore(cx, sourceOf(two), requestOf({ tables: ['log'] }))
      await expect(refused).rejects.toMatchObject({
        message: expect.stringContaining('database other') as string,
      })
    })

    it('a dump that does not say where a table begins goes in as a whole only', async () => {
      const target = await scratch()
      const sql = 'CREATE TABLE a (i INT);\nINSERT INTO a VALUES (1);\n'
      const refused = connectorOf(target).restore(cx, sourceOf(sql), requestOf({ tables: ['a'] }))
      await expect(refused).rejects.toMatchObject({ code: 'usage.not-supported' })
      expect(await target.tables()).toEqual([])
    })
  })
}
