import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { repairText, StatementSplitter, tokensOf } from './sql-text.js'

function split(
  sql: string | Buffer,
  pieceBytes = Number.MAX_SAFE_INTEGER,
): { statements: string[]; rest: string; atEnd: boolean } {
  const bytes = Buffer.from(sql)
  const splitter = new StatementSplitter()
  const statements: string[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    statements.push(
      ...splitter.push(bytes.subarray(at, at + pieceBytes)).map((statement) => statement.toString('latin1')),
    )
  }
  return { statements, rest: splitter.rest().toString('latin1'), atEnd: splitter.atEnd }
}

const trigger = `CREATE TEMP TRIGGER "a;b" AFTER INSERT ON t BEGIN
  INSERT INTO log VALUES ('END;'); -- END;
  SELECT CASE WHEN 1 THEN 2 END; /* ; END; */
  UPDATE t SET [x;y] = 1 WHERE END_ = 2;
END ;`

describe('statements', () => {
  it.each([
    ['a;b;', ['a;', 'b;']],
    [
      `INSERT INTO t VALUES('a;''b', ";", [;], \`;\`);x;`,
      [`INSERT INTO t VALUES('a;''b', ";", [;], \`;\`);`, 'x;'],
    ],
    ['-- one; two\nSELECT 1;/* ; */ SELECT 2;', ['-- one; two\nSELECT 1;', '/* ; */ SELECT 2;']],
    ['SELECT 1 - 2 / 3; SELECT 4;', ['SELECT 1 - 2 / 3;', ' SELECT 4;']],
    ["SELECT 'it''s -- no comment';SELECT 1;", ["SELECT 'it''s -- no comment';", 'SELECT 1;']],
    [`${trigger}SELECT 1;`, [trigger, 'SELECT 1;']],
    [trigger.replace('TEMP', '/* x */ -- y\n'), [trigger.replace('TEMP', '/* x */ -- y\n')]],
    ['CREATE TABLE trigger_end(end);SELECT 1;', ['CREATE TABLE trigger_end(end);', 'SELECT 1;']],
    ['SELECT 1; END;', ['SELECT 1;', ' END;']],
    [';;', [';', ';']],
  ])('%s', (sql, expected) => {
    expect(split(sql).statements).toEqual(expected)
    for (const pieceBytes of [1, 2, 3, 7]) expect(split(sql, pieceBytes).statements).toEqual(expected)
  })

  it.each([
    ['SELECT 1;\n-- done', true],
    ['SELECT 1; /* done */ \n', true],
    ['', true],
    ['SELECT 1', false],
    ["SELECT 1; SELECT 'x;", false],
    [trigger.slice(0, -1), false],
    [trigger.slice(0, -5), false],
    ['SELECT 1; COMMIT', false],
  ])('%s ends well: %s', (sql, atEnd) => {
    expect(split(sql).atEnd).toBe(atEnd)
  })

  it('any text in any pieces comes out whole and the same', () => {
    const word = fc.constantFrom(
      'CREATE',
      'TRIGGER',
      'END',
      'BEGIN',
      ';',
      "'",
      '"',
      '[',
      ']',
      '`',
      '--',
      '/*',
      '*/',
      '\n',
      ' ',
      'x',
      '-',
      '/',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (words, pieceBytes) => {
        const sql = words.join('')
        const whole = split(sql)
        expect(whole.statements.join('') + whole.rest).toBe(sql)
        expect(split(sql, pieceBytes)).toEqual(whole)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('tokens', () => {
  it('are without quotes, blanks and comments', () => {
    const sql = `/* a */ CREATE -- b\n TABLE IF NOT EXISTS "o""ne".[two]('x''y', \`z\`, Zoë_1);`
    expect([...tokensOf(sql)].map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      ...[
        'word CREATE',
        'word TABLE',
        'word IF',
        'word NOT',
        'word EXISTS',
        'name o"ne',
        'symbol .',
        'name two',
        'symbol (',
      ],
      ...["string x'y", 'symbol ,', 'name z', 'symbol ,', 'word Zoë_1', 'symbol )', 'symbol ;'],
    ])
  })
})

describe('repair', () => {
  it('leaves what is UTF-8 as it is', () => {
    const sql = Buffer.from(`INSERT INTO "t'" VALUES('Zoë', x'c3', 'it''s'); -- don't\n/* '\u00e9 */`)
    expect(repairText(sql).equals(sql)).toBe(true)
  })

  it('writes other strings as their bytes', () => {
    const sql = Buffer.concat([
      Buffer.from(`VALUES('ok','`),
      Buffer.of(0xff, 0x27, 0x27, 0x41),
      Buffer.from(`',"'",'\u00eb');`),
    ])
    expect(repairText(sql).toString()).toBe(`VALUES('ok',CAST(x'ff2741' AS TEXT),"'",'\u00eb');`)
  })

  it('does not take a quote in a comment for a string', () => {
    const sql = Buffer.concat([
      Buffer.from(`-- don't\nVALUES('`),
      Buffer.of(0xc3),
      Buffer.from(`'); /* isn't */`),
    ])
    expect(repairText(sql).toString()).toBe(`-- don't\nVALUES(CAST(x'c3' AS TEXT)); /* isn't */`)
  })
})
