import type { DumpReport } from '../../../operations/portable-reports.js'
import { printable, type Style } from '../../terminal.js'
import { table } from './table.js'
import { counted } from '../../../env/counted.js'
import { humanBytes, humanSeconds } from './units.js'

/** What was dumped; with `--verbose` each table with its rows. */
export function renderDump(
  { output, tables, rows, bytes, seconds, database }: DumpReport,
  style: Style,
  columns: number | undefined,
  verbose: boolean,
): string {
  const shown = table(
    verbose ? tables : [],
    [
      { title: 'table', cell: (each) => printable(each.table) },
      { title: 'rows', cell: (each) => String(each.rows), right: true },
      { title: 'digest', cell: ({ sum64 }) => sum64, importance: 1 },
    ],
    style,
    columns,
  )
  const where = output === undefined ? '' : ` to ${printable(output)}`
  const amount = `${counted(rows, 'row')} of ${counted(tables.length, 'table')}, ${humanBytes(bytes)}`
  const summary = `${style('green', 'dumped')} ${printable(database)}${where}: ${amount}, in ${humanSeconds(seconds)}`
  return [shown, summary].filter((each) => each !== '').join('\n')
}
