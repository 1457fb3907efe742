import { counted } from '../../../env/counted.js'
import type { CheckStatus, DoctorCheck, DoctorReport } from '../../../operations/reports.js'
import { printable, type Look, type Style } from '../../terminal.js'
import { wrap } from './wrap.js'

const marks: Readonly<Record<CheckStatus, readonly [mark: string, look: Look]>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  error: ['✗', 'red'],
  skipped: ['-', 'dim'],
}

/** The checks under what they are about, then how many went wrong. */
export function renderDoctor({ checks }: DoctorReport, style: Style, columns: number | undefined): string {
  const subjects = [...new Set(checks.map(({ subject }) => subject))]
  const size = Math.max(...checks.map(({ name }) => name.length))
  const width = Math.max(30, (columns ?? Infinity) - size - 7)
  const groups = subjects.map((subject) => {
    const own = checks.filter((check) => check.subject === subject)
    return [
      style('bold', printable(subject)),
      ...own.flatMap((check) => checkLines(check, size, width, style)),
    ].join('\n')
  })
  return [...groups, summary(checks, style)].join('\n\n')
}

function checkLines(
  { name, status, message, hint }: DoctorCheck,
  size: number,
  width: number,
  style: Style,
): readonly string[] {
  const [mark, look] = marks[status]
  const texts = [
    ...wrap(printable(message), width),
    ...(hint === undefined || status === 'ok'
      ? []
      : wrap(printable(hint), width).map((line) => style('dim', line))),
  ]
  const indent = ' '.repeat(size + 6)
  return texts.map((text, index) =>
    index === 0 ? `  ${style(look, mark)} ${printable(name).padEnd(size)}  ${text}` : indent + text,
  )
}

function summary(checks: readonly DoctorCheck[], style: Style): string {
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length
  const errors = count('error')
  const warnings = count('warning')
  if (errors > 0)
    return style(
      'red',
      `${counted(errors, 'error')}${warnings > 0 ? `, ${counted(warnings, 'warning')}` : ''}`,
    )
  return warnings > 0 ? style('yellow', counted(warnings, 'warning')) : style('green', 'all is well')
}
