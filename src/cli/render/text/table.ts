import { stripVTControlCharacters } from 'node:util'
import type { Style } from '../../terminal.js'

export interface Column<Row> {
  readonly title: string
  /** The cell, without colours where `look` is to judge it. */
  readonly cell: (row: Row) => string
  readonly right?: boolean
  /** Columns of low importance go first where the terminal is too narrow; those without a number stay. */
  readonly importance?: number
}

const gap = '  '

/** An aligned table with a heading; empty for no rows. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  style: Style,
  width: number | undefined,
): string {
  if (rows.length === 0) return ''
  let shown = columns.map((column) => {
    const cells = rows.map(column.cell)
    return { column, cells, size: Math.max(textWidth(column.title), ...cells.map(textWidth)) }
  })
  const total = () => shown.reduce((sum, { size }) => sum + size + gap.length, -gap.length)
  while (width !== undefined && total() > width) {
    const least = Math.min(...shown.map(({ column }) => column.importance ?? Infinity))
    if (least === Infinity) break
    shown = shown.filter(({ column }) => column.importance !== least)
  }
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => {
        const { column, size } = shown[index] ?? { column: { right: false }, size: 0 }
        const padding = ' '.repeat(Math.max(0, size - textWidth(text)))
        return column.right === true ? padding + text : text + padding
      })
      .join(gap)
      .trimEnd()
  const heading = line(shown.map(({ column }) => column.title.toUpperCase()))
  const body = rows.map((_row, index) => line(shown.map(({ cells }) => cells[index] ?? '')))
  return [style('dim', heading), ...body].join('\n')
}

/** How many cells a terminal needs for a text. East Asian wide characters and emoji take two. */
export function textWidth(text: string): number {
  let width = 0
  for (const char of stripVTControlCharacters(text)) {
    if (/\p{Mark}/u.test(char)) continue
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
        char,
      )
        ? 2
        : 1
  }
  return width
}
