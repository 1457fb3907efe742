import { counted } from '../env/counted.js'
import { differenceText } from './compare-restored.js'
import type { DrillCheck, DrillProof } from './drill-results.js'
import type { Comparison } from './reports.js'

/** So many are named in the text for people; the JSON has all. */
const mostShown = 100

/**
 * What a drill has shown, and what it has not: sentences for people.
 * @param why definitions were not compared
 * @param accounts the server has accounts, which own things
 */
export function sentences(
  {
    comparison,
    schema,
    check,
    restoredInto,
  }: Pick<DrillProof, 'comparison' | 'schema' | 'check' | 'restoredInto'>,
  { why, accounts }: { readonly why: string | undefined; readonly accounts: boolean },
): Pick<DrillProof, 'proved' | 'unproven'> {
  const server = `${restoredInto.product ?? 'the server'} ${restoredInto.version ?? ''}`.trim()
  const proved = [
    `${server} restored it without an error`,
    ...(schema === 'same' ? ['all definitions are the same (their digest is)'] : []),
    ...(comparison === undefined ? [] : comparedText(comparison)),
    ...(check?.status === 0 ? ['the check ended with status 0'] : []),
  ]
  const unproven = [
    ...(schema === 'not compared' ? [`definitions: ${why ?? 'they were not compared'}`] : []),
    ...(comparison === undefined
      ? ['rows: the backup has no fingerprint to compare row counts and contents with']
      : comparison.level === 'counts'
        ? ['contents of rows: they are not compared, as the backup has row counts alone (see fingerprint)']
        : []),
    ...(comparison?.unproven ?? []),
    ...(accounts ? ['owners and privileges: they are not restored by a drill'] : []),
  ]
  return { proved, unproven }
}

function comparedText({ level, tables, differences }: Comparison): readonly string[] {
  const wrong = new Set(differences.flatMap(({ object }) => (object.startsWith('table ') ? [object] : [])))
  const same = tables - wrong.size
  if (same <= 0) return []
  const what = level === 'content' ? 'row counts and contents' : 'row counts'
  return [`${what} of ${counted(same, 'table')} are the same`]
}

/** The report as a page for people, who may be auditors. */
export function drillMarkdown(proof: DrillProof): string {
  const { backup, result, restoredInto, seconds, comparison, check, error, machine, writer } = proof
  const { product = 'a server', version = '' } = restoredInto
  const where =
    restoredInto.kind === 'throwaway'
      ? `a throwaway ${product} ${version}`
      : `a database of its own on a ${`${product} ${version}`.trim()} that was named`
  return [
    `# Backup ${backup.id}: restore ${result}`,
    '',
    `- Database: ${code(backup.database)}`,
    `- Backed up: ${backup.created}, from ${backup.product} ${backup.version}`,
    `- Storage: ${code(backup.storage)}`,
    `- Restored: ${proof.started} to ${proof.finished}, into ${where}`,
    `- By: Holdfast ${writer} on ${code(machine)}`,
    `- Took: ${seconds.restore.toFixed(1)} s to restore, ${seconds.compare.toFixed(1)} s to compare`,
    '',
    ...(error === undefined ? [] : ['## Why it failed', '', `${error.message} (${code(error.code)})`, '']),
    ...list('Proved', proof.proved),
    ...list('Not proved', proof.unproven),
    ...list('Differences', differences(comparison)),
    ...(check === undefined ? [] : checkText(check)),
    ...list('Warnings', proof.warnings),
  ]
    .join('\n')
    .replace(/\n+$/u, '\n')
}

function differences(comparison: Comparison | undefined): readonly string[] {
  const all = comparison?.differences ?? []
  const more = all.length - mostShown
  return [
    ...all.slice(0, mostShown).map(differenceText),
    ...(more > 0 ? [`and ${more} more, which the JSON beside this page names`] : []),
  ]
}

function checkText({ command, status, signal, seconds, output, changes }: DrillCheck): readonly string[] {
  const how = status === undefined ? `ended by ${signal ?? 'a signal'}` : `status ${status}`
  return [
    '## Check',
    '',
    `${code(command)}: ${how} after ${seconds.toFixed(1)} s`,
    '',
    ...(output === '' ? [] : fenced(output)),
    ...list('Changed by the check', changes.map(differenceText)),
  ]
}

function list(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines.map((line) => `- ${oneLine(line)}`), '']
}

/** A fence that nothing in the text can end. */
function fenced(text: string): readonly string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return [`${fence}text`, text.replace(/\n$/u, ''), fence, '']
}

function code(text: string): string {
  return text.includes('`') ? oneLine(text) : `\`${oneLine(text)}\``
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim()
}
