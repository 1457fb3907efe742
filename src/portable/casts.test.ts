import { describe, expect, it } from 'vitest'
import { wrapped, type Cell } from '../engine/cell.js'
import type { ColumnHeader } from '../engine/table-header.js'
import { castTo } from './casts.js'

function column(type: string, more: Partial<ColumnHeader> = {}): ColumnHeader {
  return { name: 'c', type, nullable: true, hasDefault: false, ...more }
}

/** What becomes of a cell of one type in a column of another; the reason where nothing does. */
function cast(from: string, to: string, cell: Cell): Cell {
  try {
    return castTo(column(to), [], true, from)(cell)
  } catch (error) {
    return { refused: (error as Error).message }
  }
}

describe('a cell in a column of another type', () => {
  it.each<readonly [string, string, Cell, Cell]>([
    // The text abcd is no base64, and the bits 101 are no hundred and one.
    ['text', 'bytes', 'abcd', 'YWJjZA=='],
    ['bytes', 'text', 'YWJjZA==', 'abcd'],
    ['bytes', 'text', '/wA=', wrapped('bytes', '/wA=')],
    ['bytes', 'enum', 'YQ==', 'a'],
    ['bytes', 'i32', '1234', { refused: 'holds bytes, and not i32' }],
    ['bytes', 'json', 'MTIz', { refused: 'holds bytes, and not json' }],
    ['bytes', 'uuid', 'oO68mZwLTvi7bWu5vTgKEQ==', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['uuid', 'bytes', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'oO68mZwLTvi7bWu5vTgKEQ=='],
    ['bytes', 'uuid', 'AP8=', { refused: 'has 2 bytes, and a UUID has 16' }],
    ['geometry', 'bytes', '00FF', 'AP8='],
    ['bytes', 'geometry', 'AP8=', '00FF'],
    ['text', 'json', '{"a":[1, 2]}', wrapped('jsontext', '{"a":[1, 2]}')],
    ['text', 'json', '{"a":[1,2]}', { a: [1, 2] }],
    ['text', 'json', 'null', wrapped('jsontext', 'null')],
    ['text', 'json', '{a:1}', { refused: 'is "{a:1}", which is no JSON' }],
    ['json', 'text', 'a', '"a"'],
    ['json', 'text', wrapped('jsontext', ' [1] '), ' [1] '],
    ['set', 'text', ['x', 'y z'], 'x,y z'],
    ['text', 'set', 'x,y z', ['x', 'y z']],
    ['bit(5)', 'i32', '00101', 5],
    ['bit(64)', 'u64', '1'.repeat(64), '18446744073709551615'],
    ['bit(1)', 'bool', '1', true],
    ['i32', 'bit(5)', 5, '00101'],
    ['i32', 'bit(2)', 5, { refused: 'is "101", not bit(2)' }],
    ['i32', 'bit(8)', -1, { refused: 'is -1, not bit(8)' }],
    ['numeric', 'numeric(5,2)', '12.50', '12.50'],
    ['numeric', 'numeric(5,2)', '12.5', '12.50'],
    ['numeric', 'numeric(5,2)', '-0.00', '0.00'],
    ['numeric', 'numeric(5,2)', '-0.10', '-0.10'],
    ['numeric', 'numeric(5,2)', '+007.00', '7.00'],
    ['numeric', 'numeric(5,2)', '.5', '0.50'],
    ['numeric', 'numeric(5,2)', '999.99', '999.99'],
    ['numeric', 'numeric(5,2)', '1000.00', { refused: 'is 1000.00, beyond numeric(5,2)' }],
    ['numeric', 'numeric(5,2)', '1.005', { refused: 'is 1.005, with more than 2 decimals' }],
    ['numeric', 'numeric(3,0)', '012', '12'],
    ['numeric', 'numeric(2,2)', '0.99', '0.99'],
    ['numeric', 'numeric(2,2)', '1.00', { refused: 'is 1.00, beyond numeric(2,2)' }],
    // As PostgreSQL 15 has them: 0.0012 at most, and hundreds.
    ['numeric', 'numeric(2,4)', '0.0012', '0.0012'],
    ['numeric', 'numeric(2,4)', '0.0100', { refused: 'is 0.0100, beyond numeric(2,4)' }],
    ['numeric', 'numeric(3,-2)', '12300', '12300'],
    ['numeric', 'numeric(3,-2)', '0', '0'],
    ['numeric', 'numeric(3,-2)', '12300.5', { refused: 'is 12300.5, with digits that numeric(3,-2) rounds' }],
    ['numeric', 'numeric(3,-2)', '12340', { refused: 'is 12340, with digits that numeric(3,-2) rounds' }],
    ['numeric', 'numeric(3,-2)', '123000', { refused: 'is 123000, beyond numeric(3,-2)' }],
    ['numeric', 'numeric', '-0', '0'],
    ['numeric', 'numeric', '123.4500', '123.4500'],
    ['text', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['text', 'uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    [
      'text',
      'uuid',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g',
      { refused: 'is "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", not a UUID' },
    ],
    ['time', 'interval', '12:00:00.5', 'PT12H0M0.5S'],
    ['time', 'interval', wrapped('interval', 'PT838H59M59S'), 'PT838H59M59S'],
    [
      'time',
      'time',
      wrapped('interval', 'PT838H59M59S'),
      { refused: 'is PT838H59M59S, which is no time of day' },
    ],
    ['text', 'text', 'abcd', 'abcd'],
    ['text', 'i32', '12x', { refused: 'is "12x", not an integer' }],
    ['text', 'bytes', null, null],
  ])('%s into %s: %j', (from, to, cell, expected) => {
    expect(cast(from, to, cell)).toEqual(expected)
  })
})
