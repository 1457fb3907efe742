import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Row } from '../engine/cell.js'
import { RowChunk } from '../engine/row-chunk.js'
import type { TableHeader } from '../engine/table-header.js'
import { HoldfastError } from '../errors.js'
import { ChunkPool } from '../streams/chunk-pool.js'
import { dumpStream } from './dump-stream.js'
import { portableChecker } from './portable-checker.js'
import { tableDecoder } from './table-decoder.js'
import { tableEncoder } from './table-encoder.js'
import { exampleHeader } from './test-tables.js'

function encoded(header: TableHeader, rows: readonly Row[], atOnce = 7): Buffer {
  const encoder = tableEncoder(header)
  const parts = [encoder.header()]
  for (let from = 0; from < rows.length; from += atOnce)
    parts.push(encoder.rows(RowChunk.ofRows(rows.slice(from, from + atOnce))))
  const sha256 = createHash('sha256').update(parts.join('')).digest('hex')
  return Buffer.from([...parts, encoder.end(sha256).line].join(''))
}

function decoded(pieces: readonly Buffer[], acceptEdits = false) {
  const decoder = tableDecoder({ name: 'users.ndjson', acceptEdits })
  const items = pieces.flatMap((piece) => decoder.push(piece))
  decoder.end()
  return {
    headers: items.flatMap((item) => (item.kind === 'header' ? [item.header] : [])),
    rows: items.flatMap((item) => (item.kind === 'rows' ? item.chunk.rows : [])),
    lines: items.flatMap((item) => (item.kind === 'rows' ? [item.line] : [])),
  }
}

function errorOf(work: () => unknown): HoldfastError {
  try {
    work()
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const row: Row = [1, 'a@x', '10.50', '2024-01-01T00:00:00.123456Z']
const cell = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
  fc.boolean(),
  fc.constant(null),
)

describe('a whole dump that is one stream', () => {
  async function dumped(): Promise<string> {
    const source = {
      name: 'shop',
      headers: [exampleHeader],
      manifest: {
        holdfast: 1 as const,
        kind: 'portable' as const,
        created: '2026-11-28T00:00:00Z',
        engine: 'sqlite',
        server: 'test',
        database: 'shop',
        migrations: [],
        tables: [],
        warnings: [],
      },
      async *tables() {
        yield await Promise.resolve({
          header: exampleHeader,
          rows: Readable.from([RowChunk.ofRows([row])]),
          place: String,
        })
      },
      close: () => Promise.resolve(),
    }
    return text(Readable.from(dumpStream(source, new ChunkPool(1024))))
  }

  function check(dump: string): void {
    const checker = portableChecker('shop')
    checker.push(Buffer.from(dump))
    checker.end()
  }

  it('is found whole, and not where a line of it is missing, or another', async () => {
    const whole = await dumped()
    check(whole)
    const lines = whole.split(/(?<=\n)/u)
    expect(lines).toHaveLength(5)
    const without = (line: number) => lines.filter((_each, index) => index !== line).join('')
    expect(lines.map((_line, index) => errorOf(() => check(without(index))).code)).toEqual([
      'integrity.format',
      'integrity.format',
      'integrity.checksum',
      'integrity.format',
      'integrity.truncated',
    ])
    expect(errorOf(() => check(whole.replace('a@x', 'b@x'))).code).toBe('integrity.checksum')
  })
})

describe('a table as a file', () => {
  it('is the format of docs/format.md, byte for byte', () => {
    const body = [
      '{"holdfast":1,"table":"public.users","schema":"public","cols":[{"n":"id","t":"i64","db":"bigint","pk":1,"identity":"always"},{"n":"email","t":"text","db":"varchar(255)","null":false,"max":255},{"n":"bal","t":"numeric(12,2)"},{"n":"at","t":"timestamptz"}],"uniq":[["email"]],"seq":{"id":{"next":"43","inc":"1"}},"renamed_from":{"email":"mail"},"default":{"role":["value","user"],"seen":["datetime","now"]}}',
      '[1,"a@x","10.50","2024-01-01T00:00:00.123456Z"]',
    ]
    const sum64 = createHash('sha256')
      .update(body[1] ?? '')
      .digest('hex')
      .slice(0, 16)
    const sha256 = createHash('sha256')
      .update(`${body.join('\n')}\n`)
      .digest('hex')
    expect(encoded(exampleHeader, [row]).toString()).toBe(
      `${body.join('\n')}\n{"end":"public.users","rows":1,"sum64":"${sum64}","sha256":"${sha256}"}\n`,
    )
  })

  it('any split into pieces gives the same rows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell, cell), { maxLength: 30 }),
        fc.array(fc.nat({ max: 4000 }), { maxLength: 12 }),
        (rows, cuts) => {
          const bytes = encoded(exampleHeader, rows)
          const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
          const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
          const { headers, rows: found } = decoded(pieces)
          expect(headers).toEqual([exampleHeader])
          expect(JSON.stringify(found)).toBe(JSON.stringify(rows))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('an empty piece, also as the last, is no cut line', () => {
    expect(decoded([Buffer.of(), encoded(exampleHeader, [row]), Buffer.of()]).rows).toEqual([row])
  })

  it('the digest of the rows does not depend on their order, and sees pairs', () => {
    const sum = (rows: readonly Row[]) => {
      const encoder = tableEncoder(exampleHeader)
      encoder.rows(RowChunk.ofRows(rows))
      return encoder.end('').footer.sum64
    }
    const [a, b] = [row, [2, 'b', null, null]]
    expect(sum([a, b])).toBe(sum([b, a]))
    expect(sum([a, a, b, b])).not.toBe(sum([]))
    const expected = [a, b].reduce(
      (total, each) =>
        (total +
          BigInt(`0x${createHash('sha256').update(JSON.stringify(each)).digest('hex').slice(0, 16)}`)) %
        2n ** 64n,
      0n,
    )
    expect(sum([a, b])).toBe(expected.toString(16).padStart(16, '0'))
  })

  it('case 10: U+2028, U+0085 and line feeds in a text are one record', () => {
    const rows = [[1, 'a\u2028b\u0085c\nd\r\n', null, null]]
    const bytes = encoded(exampleHeader, rows)
    expect(bytes.toString().split('\n')).toHaveLength(4)
    expect(decoded([bytes]).rows).toEqual(rows)
  })

  it('several tables may follow each other', () => {
    const bytes = Buffer.concat([encoded(exampleHeader, [row]), encoded(exampleHeader, [row, row])])
    expect(decoded([bytes])).toMatchObject({ rows: [row, row, row], lines: [2, 5] })
  })
})

describe('case 29: what is not whole is refused', () => {
  const bytes = encoded(exampleHeader, [row, row])
  const cutAt = (end: number) => errorOf(() => decoded([bytes.subarray(0, end)]))

  it('a file cut anywhere is refused', () => {
    for (let end = 0; end < bytes.length; end++)
      expect(cutAt(end).code, `cut at ${end}`).toBe('integrity.truncated')
    expect(cutAt(bytes.length - 1).message).toBe('users.ndjson:4: the file is cut: the last line has no end')
  })

  it('an edited file is refused, and taken with --accept-edits', () => {
    const edited = Buffer.from(bytes.toString().replace('a@x', 'b@x'))
    const error = errorOf(() => decoded([edited]))
    expect(error).toMatchObject({ code: 'integrity.checksum' })
    expect(error.hint).toContain('--accept-edits')
    expect(decoded([edited], true).rows[0]?.[1]).toBe('b@x')
  })

  it.each([
    ['"10.50"', '"10.50"x', 'users.ndjson:2: not JSON'],
    [',"10.50"', '', 'users.ndjson:2: 3 cells instead of 4'],
    ['[1,', '[9007199254740993,', 'users.ndjson:2: 9007199254740993 is too large for a number'],
    ['"10.50"', '{"a":[9007199254740993]}', 'users.ndjson:2: 9007199254740993 is too large'],
    ['[1,', 'x[1,', 'users.ndjson:2: not JSON'],
    ['[1,', '{"rows":1}\n[1,', 'users.ndjson:2: neither a row nor the footer'],
    ['"holdfast":1', '"holdfast":2', 'users.ndjson:1: format 2 was written by a newer version'],
    [
      '["value","user"]',
      '["magic","user"]',
      'users.ndjson:1: default of role: magic is not a kind of default',
    ],
    ['"n":"id"', '"n":"email"', 'users.ndjson:1: a column is named twice'],
    ['"t":"i64",', '', 'users.ndjson:1: not the header of a table: cols.0.t'],
  ])('%s edited to %s names file and line, also with --accept-edits', (from, to, message) => {
    const error = errorOf(() => decoded([Buffer.from(bytes.toString().replace(from, to))], true))
    expect(error.message).toContain(message)
    expect(error.code).toMatch(/^integrity\.(format|newer-format)$/u)
  })

  it('large numbers within a text, and floating-point numbers, are no reason to refuse', () => {
    const rows = [[1, '9007199254740993 \\" 9007199254740993', 0.30000000000000004, 1e22]]
    expect(decoded([encoded(exampleHeader, rows)]).rows).toEqual(rows)
  })

  it('bytes that are not UTF-8 are refused', () => {
    const broken = Buffer.from(bytes)
    broken[broken.indexOf('a@x')] = 0xff
    expect(errorOf(() => decoded([broken], true)).message).toContain('not UTF-8')
  })
})
