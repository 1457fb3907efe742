import { basename } from 'node:path'
import type { InitReport } from '../../../config/init.js'
import { printable, type Style } from '../../terminal.js'

/** What was written, what was found, and what comes next. */
export function renderInit({ file, findings, envFile, advice }: InitReport, style: Style): string {
  const found = findings.map(({ alias, engine, sources, doubtful }) => {
    const note = doubtful ? style('yellow', '  (written as a comment: look at it)') : ''
    return `  ${style('bold', printable(alias))}  ${engine}, from ${printable(sources.join(', '))}${note}`
  })
  const next = [
    ...advice,
    'holdfast doctor   checks that everything is there',
    'holdfast backup   makes the first backup',
  ]
  return [
    `${style('green', 'wrote')} ${basename(file)}${envFile === undefined ? '' : `, which loads ${envFile}`}`,
    ...(found.length === 0 ? [style('yellow', 'no database was found here')] : found),
    '',
    'Next:',
    ...next.map((line) => `  ${line}`),
  ].join('\n')
}
