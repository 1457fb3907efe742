import { describe, expect, it } from 'vitest'
import type { RestoreSource } from '../../engine/connector.js'
import { restoreSource } from '../../testing/connector-contract.js'
import { namesInBoth, readDumpedNames } from './dumped-names.js'
import { RestoreGuard, type GuardSettings } from './restore-guard.js'

const settings: GuardSettings = {
  target: 'shop',
  server: { foldsCase: false, maxAllowedPacket: 1_000_000 },
  setsDefaults: true,
  ownsDatabase: false,
}

function pass(text: string, changes: Partial<GuardSettings> = {}): { text: string; guard: RestoreGuard } {
  const guard = new RestoreGuard({ ...settings, ...changes })
  return { text: Buffer.concat([...guard.push(Buffer.from(text)), ...guard.end()]).toString(), guard }
}

describe('a dump stays within its target', () => {
  it.each([
    ['uses another', 'USE `other`;\n'],
    ['uses another, bare', '  use other;\n'],
    ['uses another after something', 'SET NAMES utf8mb4; USE other;\n'],
    [
      'makes another',
      'CREATE DATABASE /*!32312 IF NOT EXISTS*/ `other` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\n',
    ],
    ['drops another', '/*!40000 DROP DATABASE IF EXISTS `other`*/;\n'],
    ['changes another', 'ALTER SCHEMA other CHARACTER SET latin1;\n'],
    ['drops its own among what it does not hold', 'DROP DATABASE IF EXISTS `shop`;\n'],
    ['differs in case', 'USE Shop;\n'],
  ])('that %s is refused', (_what, text) => {
    expect(() => pass(text)).toThrow(expect.objectContaining({ code: 'usage.not-supported' }))
  })

  it.each([
    ['names its own database', 'CREATE DATABASE IF NOT EXISTS `shop`;\nUSE `shop`;\n'],
    ['speaks of databases', '/*\n   Drop database if it exists\n*/\n-- USE `other`;\n'],
    ['has rows that speak of them', "INSERT INTO t VALUES ('x'),\n('USE `other`;\\nDROP DATABASE y;');\n"],
    [
      'has routines that do',
      'DELIMITER ;;\nCREATE PROCEDURE p() BEGIN\nCREATE DATABASE tenant;\nEND ;;\nDELIMITER ;\n',
    ],
    ['changes what is current', 'ALTER DATABASE CHARACTER SET utf8mb4;\n'],
    ['uses a column', 'CREATE TABLE t (\n  `USE` INT\n);\n'],
  ])('that %s passes unchanged', (_what, text) => {
    expect(pass(text).text).toBe(text)
  })

  it('may drop its own database where that is wanted', () => {
    const text = 'DROP DATABASE IF EXISTS `shop`;\nCREATE DATABASE `shop`;\nUSE `shop`;\n'
    expect(pass(text, { ownsDatabase: true }).text).toBe(text)
    expect(pass('USE Shop;\n', { server: { ...settings.server, foldsCase: true } }).text).toBe('USE Shop;\n')
  })

  it('FAILURES 44: collations around routines are those of the target', () => {
    const text =
      'ALTER DATABASE `sh``op` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\nDELIMITER ;;\nCREATE PROCEDURE p() SELECT 1 ;;\nDELIMITER ;\n'
    expect(pass(text).text).toBe(text.replace(' `sh``op`', ''))
    const event = 'DELIMITER ;;\nALTER DATABASE `old` CHARACTER SET latin1 COLLATE latin1_bin ;;\n'
    expect(pass(event).text).toBe(event.replace(' `old`', ''))
  })

  it("keeps the target's own defaults where the dump is added to it", () => {
    const line = '/*!40101 ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_swedish_ci */;\n'
    expect(pass(line).text).toBe(line)
    expect(pass(line, { setsDefaults: false }).text).toBe('')
  })

  it('FAILURES 52: the sandbox line reaches no client', () => {
    expect(pass('/*M!999999\\- enable the sandbox mode */ \nSELECT 1;\n').text).toBe('SELECT 1;\n')
    expect(pass('/*!999999\\- enable the sandbox mode */\nSELECT 1;\n').text).toBe('SELECT 1;\n')
  })

  it('FAILURES 53: the position in the history of replication is left out, and that is said', () => {
    const { text, guard } = pass(
      [
        'SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;',
        'SET @@SESSION.SQL_LOG_BIN= 0;',
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'aaaa:1-5,",
        "bbbb:1-7';",
        'CHANGE MASTER TO MASTER_LOG_FILE=1;',
        'CREATE TABLE a (b INT);',
        '',
      ].join('\n'),
    )
    expect(text).toBe('SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;\nCREATE TABLE a (b INT);\n')
    expect(guard.warnings).toHaveLength(1)
    expect(pass('CREATE TABLE a (b INT);\n').guard.warnings).toEqual([])
  })

  it('FAILURES 51: a row that the server cannot take ends the restore before the server is asked', () => {
    expect(() => pass(`INSERT INTO t VALUES ('${'x'.repeat(1_000_001)}');\n`)).toThrow(
      expect.objectContaining({
        code: 'database.query-failed',
        hint: expect.stringContaining('max_allowed_packet') as string,
      }),
    )
  })

  it("FAILURES 41: views of owners who are gone lose the old database's name, and only that", () => {
    const head = '-- Host: localhost    Database: old\n'
    const view = (text: string) => `${head}/*!50001 VIEW \`v\` AS select ${text} */;\n`
    expect(pass(view('`old`.`t`.`a` AS `a`,`old`.`b` AS `b` from (`t` join `old`)')).text).toBe(
      view('`t`.`a` AS `a`,`old`.`b` AS `b` from (`t` join `old`)'),
    )
    const other = view('`new`.`t`.`a` AS `a` from `new`.`t`')
    expect(pass(other).text).toBe(other)
  })

  it('knows whose objects there are', () => {
    const { guard } = pass(
      '/*!50013 DEFINER=`a``b`@`%` SQL SECURITY DEFINER */\nCREATE DEFINER=`c`@`h` PROCEDURE `p`()\n',
    )
    expect([...guard.definers]).toEqual(['a`b@%', 'c@h'])
  })

  it("takes away the semicolon that MySQL leaves in a trigger's text", () => {
    const head = 'DELIMITER ;;\n/*!50003 CREATE*/ /*!50003 TRIGGER `a` BEFORE UPDATE ON `b` FOR EACH ROW '
    expect(pass(`${head}SET NEW.x = 1; */;;\nDELIMITER ;\n`).text).toBe(
      `${head}SET NEW.x = 1 */;;\nDELIMITER ;\n`,
    )
    const fine = `${head}BEGIN SET NEW.x = 1; /* so; */ END */;;\nDELIMITER ;\n`
    expect(pass(fine).text).toBe(fine)
  })
})

describe('names in a dump', () => {
  const dump = [
    '/*!50106 DROP EVENT IF EXISTS `ev` */;',
    'DROP TABLE IF EXISTS `ta``ble`;',
    'CREATE TABLE `ta``ble` (',
    '/*!50001 CREATE VIEW `view one` AS SELECT',
    '/*!50001 VIEW `view two` AS select 1 */;',
    'CREATE SEQUENCE `seq` start with 1;',
    '/*!50003 DROP FUNCTION IF EXISTS `fun` */;',
    'CREATE DEFINER=`a`@`b` PROCEDURE `proc`()',
    'create table if not exists bare (a int);',
    "INSERT INTO x VALUES ('CREATE TABLE no');",
    '-- CREATE TABLE `neither`',
  ].join('\n')
  const source: RestoreSource = restoreSource(Buffer.from(dump))

  it('are found, by kind', async () => {
    const names = await readDumpedNames(source)
    expect([...names.relations]).toEqual(['ta`ble', 'view one', 'view two', 'seq', 'bare'])
    expect([...names.routines]).toEqual(['fun', 'proc'])
    expect([...names.events]).toEqual(['ev'])
  })

  it('FAILURES 66: meet those of the target without regard to case', async () => {
    const table = (name: string) => ({ name, engine: 'InnoDB', estimatedRows: 0, bytes: 0, versioned: false })
    const inventory = {
      ...{ charset: 'utf8mb4', collation: 'utf8mb4_general_ci', views: [], sequences: [], triggers: 0 },
      ...{ tables: [table('BARE'), table('fun'), table('mine')], events: ['ev'] },
      routines: [{ name: 'Proc', type: 'PROCEDURE' as const, readable: true }],
    }
    expect(namesInBoth(await readDumpedNames(source), inventory)).toEqual(['BARE', 'Proc', 'ev'])
  })
})
