import { describe, expect, it } from 'vitest'
import type { Style } from '../../terminal.js'
import { table, textWidth, type Column } from './table.js'

const plain: Style = (_look, text) => text
const rows = [
  { name: 'a', bytes: '1 B', note: 'first' },
  { name: '表格', bytes: '100 B', note: 'second' },
]
const columns: readonly Column<(typeof rows)[number]>[] = [
  { title: 'name', cell: ({ name }) => name },
  { title: 'bytes', cell: ({ bytes }) => bytes, right: true, importance: 2 },
  { title: 'note', cell: ({ note }) => note, importance: 1 },
]

describe('a table', () => {
  it('is aligned, numbers to the right, without spaces at the ends of lines', () => {
    expect(table(rows, columns, plain, undefined)).toBe(
      ['NAME  BYTES  NOTE', 'a       1 B  first', '表格  100 B  second'].join('\n'),
    )
  })

  it('is aligned with colours too', () => {
    const red = [
      { title: 'name', cell: () => '\u001b[31mx\u001b[39m' },
      { title: 'b', cell: () => 'y' },
    ]
    expect(table([0], red, plain, undefined)).toBe('NAME  B\n\u001b[31mx\u001b[39m     y')
  })

  it('leaves out the least important columns where it does not fit', () => {
    expect(table(rows, columns, plain, 18).split('\n')[0]).toBe('NAME  BYTES')
    expect(table(rows, columns, plain, 6).split('\n')[0]).toBe('NAME')
    expect(table(rows, columns, plain, 2).split('\n')[0]).toBe('NAME')
  })

  it('says what it has left out', () => {
    expect(table(rows, columns, plain, 18).split('\n').at(-1)).toBe('no room for: note')
  })

  it('puts long texts on several lines before it leaves anything out', () => {
    const why = 'kept since it is the newest good backup of its day'
    const wrapping = [...columns, { title: 'why', cell: () => why, wraps: true }]
    const lines = table(rows, wrapping, plain, 48).split('\n')
    expect(lines).toEqual([
      'NAME  BYTES  NOTE    WHY',
      'a       1 B  first   kept since it is the newest',
      '                     good backup of its day',
      '表格  100 B  second  kept since it is the newest',
      '                     good backup of its day',
    ])
  })

  it('of nothing is nothing', () => {
    expect(table([], columns, plain, undefined)).toBe('')
  })
})

it.each([
  ['abc', 3],
  ['表', 2],
  ['🎉', 2],
  ['e\u0301', 1],
  ['', 0],
])('the width of %j is %d', (text, width) => {
  expect(textWidth(text)).toBe(width)
})
