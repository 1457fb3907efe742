import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../errors.js'
import { connected } from '../../streams/connect.js'
import { clusterDump, sqlFormat } from './format-sql.js'
import { RestoredSql } from './restored-sql.js'

const head = '--\n-- PostgreSQL database dump\n--\n\n'
const trailer = '--\n-- PostgreSQL database dump complete\n--\n\n'
const rows = 'COPY public.t (i) FROM stdin;\n1\n2\n\\.\n\n\n'
const plain = `${head}SET client_encoding = 'UTF8';\n${rows}${trailer}`
const restricted = `${head}\\restrict AbC123\n\nSET client_encoding = 'UTF8';\n${rows}${trailer}\\unrestrict AbC123\n\n`

function verdict(text: string, size = 7): string {
  const bytes = Buffer.from(text)
  const checker = sqlFormat.checker()
  try {
    for (let at = 0; at < bytes.length; at += size) checker.push(bytes.subarray(at, at + size))
    checker.end()
    return 'whole'
  } catch (error) {
    if (error instanceof HoldfastError) return error.code
    throw error
  }
}

it('knows what pg_dumpall writes, which is no dump of a database', () => {
  const all = Buffer.from(`--\n-- PostgreSQL database cluster dump\n--\n\n${plain}`)
  expect(clusterDump(all)?.what).toContain('pg_dumpall')
  expect(sqlFormat.recognises(all)).toBe(false)
  expect(clusterDump(Buffer.from(plain))).toBeUndefined()
})

describe('plain SQL of pg_dump', () => {
  it('takes whole dumps, with and without \\restrict, and with line breaks of Windows', () => {
    for (const text of [plain, restricted, plain.replaceAll('\n', '\r\n'), `${plain}${'-- x\n'.repeat(0)}`]) {
      expect(sqlFormat.recognises(Buffer.from(text))).toBe(true)
      for (const size of [1, 7, 4096, 1_000_000]) expect(verdict(text, size)).toBe('whole')
    }
    expect(verdict(plain.replace(rows, rows.repeat(2000)), 5000)).toBe('whole')
  })

  it('FAILURES 3: refuses a dump that is cut, at every byte', () => {
    for (const text of [plain, restricted]) {
      for (let cut = 0; cut < text.trimEnd().length; cut++) {
        expect([cut, verdict(text.slice(0, cut))]).toEqual([cut, 'integrity.truncated'])
      }
    }
  })

  it('refuses other SQL, a trailer that is a row, and what follows the trailer', () => {
    expect(sqlFormat.recognises(Buffer.from('CREATE TABLE t (i int);\n'.repeat(30)))).toBe(false)
    expect(verdict('CREATE TABLE t (i int);\n'.repeat(30))).toBe('integrity.format')
    expect(verdict(`${head}COPY t FROM stdin;\n-- PostgreSQL database dump complete\n`)).toBe(
      'integrity.truncated',
    )
    expect(verdict(`${plain}DROP TABLE t;\n`)).toBe('integrity.truncated')
    expect(verdict(restricted.replace('\\unrestrict AbC123', '\\unrestrict other'))).toBe(
      'integrity.truncated',
    )
  })
})

async function restored(text: string, sizes: readonly number[], before = 0): Promise<string> {
  const bytes = Buffer.from(text)
  const pieces: Buffer[] = []
  for (let at = before, piece = 0; at < bytes.length; piece++) {
    const size = sizes[piece % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  const through = new RestoredSql('BEGIN;\n', '\nCOMMIT;\n', bytes.subarray(0, before))
  const chunks: Buffer[] = []
  for await (const chunk of connected([Readable.from(pieces), through], new AbortController().signal))
    chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

describe('plain SQL on its way to psql', () => {
  const expected = `BEGIN;\n${head}SET client_encoding = 'UTF8';\n${rows}\nCOMMIT;\n`

  it('stands between BEGIN and COMMIT, without lines that change the restriction', async () => {
    for (const text of [plain, restricted]) {
      const sql = await restored(text, [50], 150)
      expect(sql.replace(/\n+/gu, '\n')).toBe(expected.replace(/\n+/gu, '\n'))
    }
  })

  it('is the same in pieces of any size', async () => {
    const text = restricted.replace(rows, rows.repeat(500))
    const whole = await restored(text, [1_000_000])
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 }),
        async (sizes) => {
          expect(await restored(text, sizes)).toBe(whole)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('FAILURES 67: COMMIT never comes after a dump that is cut', async () => {
    for (const cut of [plain.length - 60, plain.indexOf('1\n') + 2, plain.length - 10]) {
      const written: string[] = []
      const through = new RestoredSql('BEGIN;\n', 'COMMIT;\n', Buffer.from(plain.slice(0, cut)))
      const read = async () => {
        for await (const chunk of connected([Readable.from([]), through], new AbortController().signal))
          written.push(String(chunk))
      }
      await expect(read()).rejects.toMatchObject({ code: 'integrity.truncated' })
      expect(written.join('')).not.toContain('COMMIT')
    }
  })

  it('keeps a row that looks like \\restrict', async () => {
    const text = plain.replace('1\n2\n', '\\restrict abc\n\\unrestrict abc\n')
    expect(await restored(text, [10], 100)).toContain('\\restrict abc\n\\unrestrict abc\n')
  })
})
