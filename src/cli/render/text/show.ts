import { portablePart } from '../../../catalog/parts.js'
import { counted } from '../../../env/counted.js'
import type { StoredBackup } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'
import { renderFacts } from './facts.js'
import { plainBytes, stagesOf, storedBytes } from './stored-backup.js'
import { humanBytes, localTime, relativeAge } from './units.js'

export function renderShow(stored: StoredBackup, style: Style, now: Date): string {
  const { manifest, storage } = stored
  const created = new Date(manifest.created)
  const { source, revision, migrations, options, tools, warnings, parts } = manifest
  const facts = renderFacts(
    [
      [
        manifest.kind === 'files' ? 'files' : 'database',
        `${printable(manifest.database.alias)} (${printable(manifest.database.name)})`,
      ],
      ['created', `${localTime(created)}, ${relativeAge(created, now)}, on ${printable(manifest.server)}`],
      ['holds', manifest.files === undefined ? undefined : filesText(manifest.files)],
      [
        'source',
        manifest.kind === 'files'
          ? undefined
          : `${printable(source.product)} ${printable(source.version)}, ${counted(source.tables, 'table')}${source.encoding === undefined ? '' : `, ${printable(source.encoding)}`}`,
      ],
      [
        'size',
        `${humanBytes(plainBytes(stored))}, stored ${humanBytes(storedBytes(stored))} (${printable(stagesOf(stored))})`,
      ],
      ['portable', portableText(stored)],
      ['connector', `${printable(manifest.connector)}, format ${printable(manifest.format)}`],
      [
        'tools',
        tools.length === 0
          ? undefined
          : tools.map(({ name, version }) => printable(`${name} ${version}`)).join('\n'),
      ],
      ['only', listed(options.include ?? [])],
      ['left out', listed(options.exclude)],
      ['without rows', listed(options.excludeData)],
      ['only schemas', listed(options.schemas)],
      ['revision', revision === undefined ? undefined : printable(revisionText(revision))],
      ['migrations', migrations.length === 0 ? undefined : migrations.map(migrationText).join('\n')],
      ['fingerprint', manifest.kind === 'files' ? undefined : printable(fingerprintText(manifest))],
      ['signature', signatureText(stored)],
      ['proof', manifest.kind === 'files' ? undefined : drillText(stored, style, now)],
      ['definitions', printable(manifest.schemaHash) || undefined],
      [
        'stored in',
        parts.map(({ stored: { key } }) => `${printable(storage)}: ${printable(key)}`).join('\n'),
      ],
      ['sha256', parts.map((part) => part.stored.sha256).join('\n')],
      [
        'metadata',
        Object.keys(manifest.metadata).length === 0
          ? undefined
          : printable(JSON.stringify(manifest.metadata)),
      ],
      [
        'warnings',
        warnings.length === 0
          ? undefined
          : warnings.map((each) => style('yellow', printable(each))).join('\n'),
      ],
      ['written by', `Holdfast ${printable(manifest.writer)}`],
    ],
    style,
  )
  return `${style('green', style('bold', manifest.id))}\n${facts}`
}

function portableText({ manifest }: StoredBackup): string | undefined {
  const part = portablePart(manifest)
  if (part === undefined) return undefined
  return `${humanBytes(part.plain.bytes)}; holdfast load --from-backup ${manifest.id}`
}

function drillText({ storage, lastDrill }: StoredBackup, style: Style, now: Date): string {
  if (lastDrill === undefined) return style('dim', 'never; holdfast verify --restore proves that it can be')
  const { time, result, key } = lastDrill
  const text = `${result} ${relativeAge(time, now)}, ${localTime(time)}`
  return `${style(result === 'passed' ? 'green' : 'red', text)}\n${printable(`${storage}: ${key}`)}`
}

function fingerprintText({ fingerprint }: StoredBackup['manifest']): string {
  if (fingerprint === undefined) return 'none was taken'
  const { level, tables, unproven } = fingerprint
  const without = tables.filter((table) => table.rows === undefined).length
  const rows = tables.reduce((sum, table) => sum + (table.rows ?? 0), 0)
  const what = {
    none: 'none',
    counts: `${rows} rows counted in ${counted(tables.length, 'table')}`,
    content: `${rows} rows counted and digested in ${counted(tables.length, 'table')}`,
  }
  return [
    what[level],
    ...(without === 0 ? [] : [`${counted(without, 'table')} unproven`]),
    ...(unproven === undefined ? [] : [unproven]),
  ].join('; ')
}

function signatureText({ signature, manifest: { chain, signature: own } }: StoredBackup): string | undefined {
  if (own === undefined || signature === undefined || signature === 'none') return undefined
  const worth = {
    valid: 'valid',
    unchecked: 'not checked: no key of sign is configured',
    invalid: 'WRONG: the backup was changed after it was signed',
    foreign: 'of a key that is not known here',
  }
  const place = chain === undefined ? '' : `, number ${chain.sequence} of its chain`
  return `${worth[signature]}; key ${own.key.slice(0, 16)}${place}`
}

function filesText({
  entries,
  bytes,
  changed,
  unreadable,
}: NonNullable<StoredBackup['manifest']['files']>): string {
  return [
    `${counted(entries, 'entry', 'entries')}, ${humanBytes(bytes)}`,
    ...(changed === 0 ? [] : [`${changed} changed while they were read`]),
    ...(unreadable === 0 ? [] : [`without ${unreadable} that could not be read`]),
  ].join(', ')
}

function listed(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : printable(names.join(', '))
}

function revisionText({ commit, branch, dirty }: NonNullable<StoredBackup['manifest']['revision']>): string {
  const where = branch === undefined ? '' : ` on ${branch}`
  return `${commit.slice(0, 12)}${where}${dirty ? ', with changes that were not committed' : ''}`
}

function migrationText({ tool, applied }: StoredBackup['manifest']['migrations'][number]): string {
  const last = applied.at(-1)
  return printable(`${tool}: ${applied.length} applied${last === undefined ? '' : `, the last ${last}`}`)
}
