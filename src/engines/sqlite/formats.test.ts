import { describe, expect, it } from 'vitest'
import type { DumpFormat } from '../../engine/connector.js'
import { fileFormat } from './file-format.js'
import { sqlFormat } from './sql-format.js'

function check(format: DumpFormat, bytes: Buffer, pieceBytes = 1000): void {
  const checker = format.checker()
  for (let at = 0; at < bytes.length; at += pieceBytes) checker.push(bytes.subarray(at, at + pieceBytes))
  checker.end()
}

interface File {
  readonly pageBytes?: number
  readonly pages?: number
  readonly counted?: number
  readonly validFor?: number
}

function file({ pageBytes = 4096, pages = 3, counted = pages, validFor = 7 }: File = {}): Buffer {
  const bytes = Buffer.alloc(pageBytes * pages)
  bytes.write('SQLite format 3\0')
  bytes.writeUInt16BE(pageBytes === 65_536 ? 1 : pageBytes, 16)
  bytes.writeUInt32BE(7, 24)
  bytes.writeUInt32BE(counted, 28)
  bytes.writeUInt32BE(validFor, 92)
  return bytes
}

describe('a SQLite file', () => {
  it.each([[512], [4096], [65_536]])('is whole with pages of %i', (pageBytes) => {
    for (const pieceBytes of [1, 99, 4096]) check(fileFormat, file({ pageBytes }), pieceBytes)
  })

  it('may be longer than its header says, by whole pages', () => {
    check(fileFormat, file({ pages: 5, counted: 3 }))
  })

  it('of an old SQLite does not say how many pages it has', () => {
    check(fileFormat, file({ counted: 99, validFor: 6 }))
  })

  it.each([
    ['empty', Buffer.alloc(0), 'integrity.empty'],
    ['cut within the magic', file().subarray(0, 9), 'integrity.truncated'],
    ['cut within the header', file().subarray(0, 99), 'integrity.truncated'],
    ['cut within a page', file().subarray(0, 5000), 'integrity.truncated'],
    ['cut between pages', file().subarray(0, 8192), 'integrity.truncated'],
    ['with half a page too much', Buffer.concat([file(), Buffer.alloc(100)]), 'integrity.truncated'],
    ['something else', Buffer.from('PRAGMA foreign_keys=OFF;'), 'integrity.format'],
  ])('%s is refused', (_what, bytes, code) => {
    expect(() => check(fileFormat, bytes)).toThrow(expect.objectContaining({ code }))
  })
})

describe('SQL', () => {
  it.each([
    ['of the shell', 'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t(a);\nCOMMIT;\n'],
    ['of Python', 'BEGIN TRANSACTION;\nCREATE TABLE t(a);\nCOMMIT;\n'],
    [
      'with comments and Windows lines',
      '-- a\r\n-- b\r\nPRAGMA page_size = 4096;\r\nBEGIN TRANSACTION;\r\nCOMMIT;\r\n',
    ],
  ])('%s is known and whole', (_what, sql) => {
    expect(sqlFormat.recognises(Buffer.from(sql))).toBe(true)
    for (const pieceBytes of [1, 5, 1000]) check(sqlFormat, Buffer.from(sql), pieceBytes)
  })

  it.each([
    ['a dump of PostgreSQL', '--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n'],
    ['a dump of MariaDB', '/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n'],
    ['a database', 'SQLite format 3\0'],
  ])('%s is not known', (_what, text) => {
    expect(sqlFormat.recognises(Buffer.from(text))).toBe(false)
  })

  it.each([
    ['empty', '', 'integrity.empty'],
    ['without its COMMIT', 'BEGIN TRANSACTION;\nCREATE TABLE t(a);\n', 'integrity.truncated'],
    ['of a damaged database', 'BEGIN TRANSACTION;\nROLLBACK; -- due to errors\n', 'integrity.truncated'],
    ['with COMMIT inside a line', "INSERT INTO t VALUES('COMMIT;", 'integrity.truncated'],
  ])('%s is refused', (_what, sql, code) => {
    expect(() => check(sqlFormat, Buffer.from(sql))).toThrow(expect.objectContaining({ code }))
  })
})
