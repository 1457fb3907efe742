import { counted } from '../../../env/counted.js'
import { differenceText } from '../../../operations/compare-restored.js'
import type { DrillCheck, DrillProof, DrillReport, DrillResult } from '../../../operations/drill-results.js'
import { printable, printableLines, type Style } from '../../terminal.js'
import { renderFacts, severalLines } from './facts.js'
import { table } from './table.js'
import { humanSeconds, relativeAge } from './units.js'

/** Of a check's output so many lines are shown; the report has more. */
const mostLines = 20

/** All that was found out about one backup, or a line for each of several. */
export function renderDrill(
  { results }: DrillReport,
  style: Style,
  columns: number | undefined,
  now: Date,
): string {
  const [first, ...others] = results
  if (first !== undefined && others.length === 0) return renderOne(first, style, now, columns)
  const failed = results.filter(({ ok }) => !ok).length
  const shown = table(
    results.filter(({ proof }) => proof !== undefined),
    [
      { title: 'id', cell: ({ id }) => id },
      { title: 'database', cell: ({ database = '' }) => printable(database) },
      { title: 'storage', cell: ({ storage }) => printable(storage), importance: 1 },
      { title: 'restored into', cell: ({ proof }) => printable(serverText(proof)), importance: 3 },
      { title: 'took', cell: ({ proof }) => humanSeconds(tookSeconds(proof)), right: true, importance: 2 },
      { title: 'compared', cell: ({ proof }) => comparedText(proof), importance: 4 },
      { title: 'check', cell: ({ proof }) => endText(proof?.check) },
      { title: 'result', cell: (each) => resultText(each, style) },
    ],
    style,
    columns,
  )
  const summary =
    failed === 0 ? '' : style('red', `${counted(failed, 'backup')} of ${results.length} not proved`)
  return [shown, summary].filter((each) => each !== '').join('\n')
}

function renderOne(result: DrillResult, style: Style, now: Date, columns: number | undefined): string {
  const { id, database = '', storage, proof, keys } = result
  if (proof === undefined) return ''
  const { backup, seconds, check } = proof
  const facts = renderFacts(
    [
      ['backup', printable(`of ${database}, ${relativeAge(new Date(backup.created), now)}, in ${storage}`)],
      [
        'restored',
        printable(
          `into ${proof.restoredInto.kind === 'throwaway' ? 'a throwaway' : 'a database on'} ${serverText(proof)} in ${humanSeconds(seconds.restore)}`,
        ),
      ],
      ['proved', severalLines(proof.proved, 'green', style, columns)],
      ['not proved', severalLines(proof.unproven, 'yellow', style, columns)],
      ...(check === undefined ? [] : checkFacts(check, style, columns)),
      ['warnings', severalLines(proof.warnings, 'yellow', style, columns)],
      [
        'report',
        keys.length === 0 ? undefined : keys.map((key) => printable(`${storage}: ${key}`)).join('\n'),
      ],
    ],
    style,
  )
  return `${style('bold', id)}  ${resultText(result, style)}\n${facts}`
}

function checkFacts(
  check: DrillCheck,
  style: Style,
  columns: number | undefined,
): [string, string | undefined][] {
  const lines = check.output.trimEnd().split('\n')
  const left = lines.length - mostLines
  const shown = left > 0 ? [`… ${left} lines before, in the report`, ...lines.slice(-mostLines)] : lines
  return [
    ['check', printable(`${check.command}: ${endText(check)} after ${humanSeconds(check.seconds)}`)],
    ['it said', check.output.trim() === '' ? undefined : printableLines(shown.join('\n'))],
    ['it changed', severalLines(check.changes.map(differenceText), 'yellow', style, columns)],
  ]
}

function resultText({ ok, proof }: DrillResult, style: Style): string {
  if (ok) return style('green', 'passed')
  return style('red', proof?.result === 'passed' ? 'passed, without a report' : 'failed')
}

function serverText(proof: DrillProof | undefined): string {
  const { product = 'a server', version = '' } = proof?.restoredInto ?? {}
  return `${product} ${version}`.trim()
}

function tookSeconds(proof: DrillProof | undefined): number {
  return Object.values(proof?.seconds ?? {}).reduce((sum, each) => sum + each, 0)
}

function comparedText(proof: DrillProof | undefined): string {
  const { comparison } = proof ?? {}
  if (comparison === undefined) return 'no rows'
  return `${counted(comparison.tables, 'table')}, ${comparison.level}`
}

function endText(check: DrillCheck | undefined): string {
  if (check === undefined) return ''
  return check.status === undefined ? `ended by ${check.signal ?? 'a signal'}` : `status ${check.status}`
}
