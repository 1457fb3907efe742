import { stripVTControlCharacters } from 'node:util'
import type { Style } from '../../terminal.js'
import { wrap } from './wrap.js'

export interface Column<Row> {
  readonly title: string
  /** The cell, without colours where `look` is to judge it. */
  readonly cell: (row: Row) => string
  readonly right?: boolean
  /** Columns of low importance go first where the terminal is too narrow; those without a number stay. */
  readonly importance?: number
  /** Its texts, which have no colours, may go over several lines rather than push other columns out. */
  readonly wraps?: boolean
}

const gap = '  '
/** Text in a narrower column than this is hard to read. */
const narrowestText = 24

/** An aligned table with a heading; empty for no rows. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  style: Style,
  width: number | undefined,
): string {
  if (rows.length === 0) return ''
  let shown = columns.map((column) =>
    sized(
      column,
      rows.map((row) => [column.cell(row)]),
    ),
  )
  const total = () => shown.reduce((sum, { size }) => sum + size + gap.length, -gap.length)
  shown = shown.map((one) =>
    width !== undefined && one.column.wraps === true ? narrowed(one, total() - width) : one,
  )
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
  const body = rows.flatMap((_row, index) => {
    const height = Math.max(...shown.map(({ cells }) => cells[index]?.length ?? 0))
    return Array.from({ length: height }, (_, at) => line(shown.map(({ cells }) => cells[index]?.[at] ?? '')))
  })
  const hidden = columns.filter((column) => !shown.some((one) => one.column === column))
  const note =
    hidden.length === 0 ? [] : [style('dim', `no room for: ${hidden.map(({ title }) => title).join(', ')}`)]
  return [style('dim', heading), ...body, ...note].join('\n')
}

interface Shown<Row> {
  readonly column: Column<Row>
  /** The lines of each row's cell. */
  readonly cells: readonly (readonly string[])[]
  readonly size: number
}

function sized<Row>(column: Column<Row>, cells: Shown<Row>['cells']): Shown<Row> {
  return { column, cells, size: Math.max(textWidth(column.title), ...cells.flat().map(textWidth)) }
}

/** Narrower by as much as is needed, as far as it stays readable. */
function narrowed<Row>({ column, cells, size }: Shown<Row>, excess: number): Shown<Row> {
  if (excess <= 0) return { column, cells, size }
  const width = Math.max(size - excess, Math.min(size, narrowestText))
  return sized(
    column,
    cells.map(([text = '']) => wrap(text, width)),
  )
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
