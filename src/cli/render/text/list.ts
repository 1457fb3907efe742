import type { Manifest } from '../../../catalog/manifest.js'
import { portablePart } from '../../../catalog/parts.js'
import { leftOut } from '../../../operations/left-out.js'
import type { ListReport, StoredBackup } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'
import { storedBytes, stagesOf } from './stored-backup.js'
import { table, type Column } from './table.js'
import { humanBytes, localTime, relativeAge } from './units.js'

export interface ListView {
  readonly now: Date
  /** This machine's; a column of it alone tells nothing. */
  readonly serverName: string
  readonly oneStorage: boolean
}

/** Newest first. */
export function renderList(
  { backups }: ListReport,
  view: ListView,
  style: Style,
  columns: number | undefined,
): string {
  if (backups.length === 0) return style('dim', 'no backups')
  const elsewhere = backups.some(({ manifest }) => manifest.server !== view.serverName)
  const drilled = backups.some(({ lastDrill }) => lastDrill !== undefined)
  const created = ({ manifest }: StoredBackup) => new Date(manifest.created)
  const shown: readonly Column<StoredBackup>[] = [
    { title: 'id', cell: ({ manifest }) => style('green', manifest.id) },
    { title: 'database', cell: ({ manifest }) => printable(manifest.database.alias) },
    { title: 'created', cell: (each) => localTime(created(each)), importance: 4 },
    { title: 'age', cell: (each) => relativeAge(created(each), view.now), importance: 6 },
    { title: 'stored', cell: (each) => humanBytes(storedBytes(each)), right: true },
    ...(drilled
      ? [{ title: 'proof', cell: (each: StoredBackup) => drillText(each, view.now), importance: 5 }]
      : []),
    { title: 'engine', cell: ({ manifest }) => printable(manifest.engine), importance: 3 },
    { title: 'stages', cell: (each) => printable(stagesOf(each)), importance: 2 },
    ...(elsewhere
      ? [{ title: 'server', cell: ({ manifest }: StoredBackup) => printable(manifest.server), importance: 5 }]
      : []),
    ...(view.oneStorage
      ? []
      : [{ title: 'storage', cell: ({ storage }: StoredBackup) => printable(storage), importance: 5 }]),
  ]
  const holds = ({ manifest }: StoredBackup) =>
    printable(remarks(manifest).join('; ') || 'all') +
    (portablePart(manifest) === undefined ? '' : '; portable, too')
  const partial = backups.some(
    ({ manifest }) => remarks(manifest).length > 0 || portablePart(manifest) !== undefined,
  )
  return table(
    backups,
    [...shown, ...(partial ? [{ title: 'holds', cell: holds, wraps: true }] : [])],
    style,
    columns,
  )
}

/** The last drill: a backup that nobody has restored is a hope. */
function drillText({ lastDrill }: StoredBackup, now: Date): string {
  return lastDrill === undefined ? 'never' : `${lastDrill.result} ${relativeAge(lastDrill.time, now)}`
}

function remarks(manifest: Manifest): readonly string[] {
  return [...(manifest.purpose === undefined ? [] : ['made before a restore']), ...leftOut(manifest)]
}
