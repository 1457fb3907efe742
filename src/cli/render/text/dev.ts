import type { DevServerInfo } from '../../../devserver/info.js'
import type { DevBackup, DevConnection } from '../../../operations/dev-reports.js'
import { printable, type Style } from '../../terminal.js'
import { renderFacts } from './facts.js'
import { table, type Column } from './table.js'
import { humanBytes, localTime, relativeAge } from './units.js'

/** @param what has become of it: `runs` */
export function renderConnection(
  what: 'made' | 'runs' | 'new' | 'restored',
  connection: DevConnection,
  style: Style,
): string {
  const { engine, name, product, version, host, port, user, database, folder } = connection
  return [
    `${style('green', what)}  ${printable(`${engine} ${name}`)}`,
    renderFacts(
      [
        ['server', `${product} ${version}`],
        ['listens on', port === 0 ? undefined : `${host}:${port}`],
        ['user', port === 0 ? undefined : printable(user)],
        ['database', printable(database)],
        ['folder', printable(folder)],
      ],
      style,
    ),
    style('dim', 'holdfast dev env prints DATABASE_URL; holdfast dev guide what one always looks up'),
  ].join('\n')
}

export function renderInfo(info: DevServerInfo, style: Style): string {
  const { engine, name, product, version, host, port, pid, sizeBytes, folder } = info
  return [
    `${style(info.state === 'running' ? 'green' : 'yellow', stateOf(info))}  ${printable(`${engine} ${name}`)}`,
    renderFacts(
      [
        ['server', product === undefined ? 'not installed' : `${product} ${version ?? ''}`],
        ['port', port === 0 ? undefined : `${host}:${port}`],
        ['pid', pid === undefined ? undefined : String(pid)],
        ['data', humanBytes(sizeBytes)],
        ['folder', printable(folder)],
      ],
      style,
    ),
  ].join('\n')
}

export function renderInfos(
  infos: readonly DevServerInfo[],
  style: Style,
  columns: number | undefined,
): string {
  if (infos.length === 0) return style('dim', 'no development servers')
  const shown: readonly Column<DevServerInfo>[] = [
    { title: 'engine', cell: ({ engine }) => printable(engine) },
    { title: 'name', cell: ({ name }) => printable(name) },
    { title: 'state', cell: stateOf },
    { title: 'port', cell: ({ port }) => (port === 0 ? '' : String(port)), right: true },
    { title: 'pid', cell: ({ pid }) => (pid === undefined ? '' : String(pid)), right: true, importance: 2 },
    { title: 'version', cell: ({ version }) => version ?? 'not installed', importance: 3 },
    { title: 'data', cell: ({ sizeBytes }) => humanBytes(sizeBytes), right: true, importance: 4 },
  ]
  return table(infos, shown, style, columns)
}

function stateOf({ state, answers }: DevServerInfo): string {
  if (state === 'running') return answers ? 'running' : 'running, no answer'
  return state === 'stopped' ? 'stopped' : 'no data'
}

export function renderBackup({ name, directory, sizeBytes }: DevBackup): string {
  return `${name === '' ? '' : `${printable(name)}  `}${humanBytes(sizeBytes)}  ${printable(directory)}`
}

export function renderBackups(
  backups: readonly DevBackup[],
  now: Date,
  style: Style,
  columns: number | undefined,
): string {
  if (backups.length === 0) return style('dim', 'no backups')
  const shown: readonly Column<DevBackup>[] = [
    { title: 'name', cell: ({ name }) => printable(name) },
    { title: 'id', cell: ({ id }) => style('green', id ?? ''), importance: 2 },
    { title: 'created', cell: ({ created }) => localTime(created), importance: 3 },
    { title: 'age', cell: ({ created }) => relativeAge(created, now) },
    { title: 'stored', cell: ({ sizeBytes }) => humanBytes(sizeBytes), right: true },
  ]
  return table(backups, shown, style, columns)
}
