import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { connected } from '../../streams/connect.js'
import { SqlFilter } from './sql-filter.js'

async function filtered(
  text: string,
  unwanted: readonly string[],
  sizes: readonly number[] = [1_000_000],
): Promise<string> {
  const bytes = Buffer.from(text)
  const pieces: Buffer[] = []
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[piece % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  const chunks: Buffer[] = []
  for await (const chunk of connected(
    [Readable.from(pieces), new SqlFilter(unwanted)],
    new AbortController().signal,
  ))
    chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const unwanted = ['BEGIN', 'COMMIT']

/** Each piece on its own lines; what is to go is marked. */
const kept = [
  `SET client_encoding = 'UTF8';`,
  `\\restrict it's a key`,
  `SELECT 'BEGIN;', 'it''s; COMMIT;', E'\\\\', ';''';`,
  `CREATE TABLE "odd; COMMIT;""x" (i int DEFAULT 1);`,
  `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\nCOMMIT;\nEND;\n$$;`,
  `CREATE PROCEDURE p() LANGUAGE plpgsql AS $_x1$\nBEGIN;\nCOMMIT;\n$$ $_x $_x1\n$_x1$;`,
  `CREATE FUNCTION g(int) RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n SELECT ($1 + 1);\nEND;`,
  `COPY public.t (a, b) FROM stdin;\nBEGIN;\nCOMMIT;\n'\t$$\n\\\\.\n\\N\t"\n--\n\\.\n\n`,
  `COPY public."em;pty" (a) FROM stdin;\n\\.\n`,
  `-- it's a comment; with a quote\n--`,
  `--\n-- Name: x; Type: TABLE; Schema: public\n--\n`,
  `INSERT INTO t VALUES ('${'long; '.repeat(60_000)}');`,
  `SELECT 5 - 3, 2--1\n;`,
  `BEGIN WORK;`,
  `SELECT pg_catalog.lowrite(0, '\\x${'00'.repeat(5000)}');`,
  `SELECT 1;SELECT 2;`,
]

it('leaves out whole statements and nothing else, in pieces of any size', async () => {
  const parts = fc.array(fc.oneof(fc.constantFrom(...kept), fc.constantFrom('BEGIN;', 'COMMIT;')), {
    maxLength: 30,
  })
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 40_000 })), {
    minLength: 1,
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(parts, sizes, async (chosen, pieceSizes) => {
      const small = chosen.filter((part) => part.length < 5000 || Math.min(...pieceSizes) > 500)
      const expected = small.map((part) => (unwanted.includes(part.slice(0, -1)) ? '' : part)).join('\n')
      expect(await filtered(small.join('\n'), unwanted, pieceSizes)).toBe(expected)
    }),
    { numRuns: 300 },
  )
})

it('reads line breaks of Windows', async () => {
  const text = `COPY t (a) FROM stdin;\r\nBEGIN;\r\n\\.\r\n\r\nBEGIN;\r\nSELECT 1;\r\nCOMMIT;\r\n`
  expect(await filtered(text, unwanted, [3])).toBe(
    `COPY t (a) FROM stdin;\r\nBEGIN;\r\n\\.\r\n\r\n\r\nSELECT 1;\r\n\r\n`,
  )
})

it('passes an unfinished end on', async () => {
  for (const text of [
    'SELECT 1',
    `SELECT 'x`,
    'SELECT $tag$ x',
    'SELECT $',
    'SELECT -',
    '-',
    '-- x',
    'COPY t FROM stdin;\n1\n\\',
    'COPY t FROM stdin;\n\\.',
    'BEGIN',
  ]) {
    expect(await filtered(text, unwanted, [1])).toBe(text)
    expect(await filtered(text, unwanted)).toBe(text)
  }
})
