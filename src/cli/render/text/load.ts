import type { LoadedTable, LoadReport } from '../../../operations/portable-reports.js'
import { printable, type Style } from '../../terminal.js'
import { renderFacts } from './facts.js'
import { table } from './table.js'
import { counted } from '../../../env/counted.js'
import { humanSeconds } from './units.js'

const modes: Readonly<Record<LoadReport['mode'], string>> = {
  replace: 'the tables are emptied first',
  append: 'rows are added to those that are there',
  skip: 'rows whose key is there already are left as they are',
  update: 'rows whose key is there already are changed',
  sync: 'rows whose key is there already are changed, and rows that the dump does not have are deleted',
}

/** What a load did, or with `--dry-run` would do; with `--verbose` each table with its counts. */
export function renderLoad(
  report: LoadReport,
  style: Style,
  columns: number | undefined,
  verbose: boolean,
): string {
  const { loaded, tables, place, seconds } = report
  const shown = !loaded || verbose ? countsOf(tables, style, columns) : ''
  if (!loaded)
    return [renderLoadPlan(report, style), shown, style('dim', 'dry run: nothing was changed')].join('\n')
  const rows = tables.reduce((sum, each) => sum + (each.rows ?? 0), 0)
  const summary = `${style('green', 'loaded')} ${counted(rows, 'row')} of ${counted(tables.length, 'table')} into ${printable(place)} in ${humanSeconds(seconds)}`
  return [shown, summary].filter((each) => each !== '').join('\n')
}

/** Source, target, what becomes of columns, and what will be lost. */
export function renderLoadPlan(report: LoadReport, style: Style): string {
  const { source, place, mode, tables, losses, unknownTables } = report
  const lines = (texts: readonly string[]) =>
    texts.length === 0 ? undefined : texts.map(printable).join('\n')
  const facts = renderFacts(
    [
      ['from', printable(source)],
      ['into', `${style('bold', printable(place))}${report.protected ? style('yellow', '  protected') : ''}`],
      ['mode', `${mode}: ${modes[mode]}`],
      ['tables', tables.map(tableName).map(printable).join(', ')],
      ['columns', lines(tables.flatMap(changesOf))],
      ['maybe', lines(tables.flatMap(({ suggestions }) => suggestions))],
      ['left out', lines(unknownTables)],
      [
        'lost',
        losses.length === 0 ? undefined : losses.map((each) => style('red', printable(each))).join('\n'),
      ],
      ['does not fit', lines(tables.flatMap(problemsOf))],
    ],
    style,
  )
  return `${style('bold', 'Load')}\n${facts}`
}

function tableName({ table: from, into, created }: LoadedTable): string {
  const name = from === into || into.endsWith(`.${from}`) ? from : `${from} as ${into}`
  return created ? `${name} (made)` : name
}

function changesOf({ into, renamed, filled, dropped }: LoadedTable): readonly string[] {
  return [
    ...renamed.map(({ column, from }) => `${into}.${column} is ${from} in the dump`),
    ...filled.map(({ column, by }) => `${into}.${column} is filled by ${by}`),
    ...dropped.map(
      ({ column, values }) =>
        `${column} of ${into} is left out${values === undefined ? '' : `, with ${counted(values, 'value')}`}`,
    ),
  ]
}

function problemsOf({ problems }: LoadedTable): readonly string[] {
  return problems.map(
    ({ column, count, samples, policy }) =>
      `${column}: ${counted(count, 'cell')}${policy === 'error' ? '' : ` (${policy})`}; ${samples[0] ?? ''}`,
  )
}

function countsOf(tables: readonly LoadedTable[], style: Style, columns: number | undefined): string {
  const count = (value: number | undefined) => (value === undefined ? '' : String(value))
  return table(
    tables,
    [
      { title: 'table', cell: ({ into }) => printable(into) },
      { title: 'rows', cell: ({ rows }) => count(rows), right: true },
      { title: 'inserted', cell: ({ inserted }) => count(inserted), right: true, importance: 4 },
      { title: 'updated', cell: ({ updated }) => count(updated), right: true, importance: 3 },
      { title: 'skipped', cell: ({ skipped }) => count(skipped), right: true, importance: 2 },
      { title: 'deleted', cell: ({ deleted }) => count(deleted), right: true, importance: 1 },
    ],
    style,
    columns,
  )
}
