import type { DatabaseSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { createConnector } from './create-connector.js'
import { attempt } from './doctor-check.js'
import { checkFiles } from './doctor-files.js'
import { checkNotifiers } from './doctor-notifiers.js'
import { checkStages } from './doctor-stages.js'
import { checkStorage } from './doctor-storage.js'
import { checkSwaps } from './doctor-swaps.js'
import type { DoctorCheck, DoctorReport } from './reports.js'
import type { DoctorRequest } from './requests.js'
import { selectDatabases } from './select-databases.js'
import { contextOf, type Workspace } from './workspace.js'
import { counted } from '../env/counted.js'

/**
 * Checks everything that a backup and a restore will need: configuration, databases, tools, storages (by writing, reading
 * and deleting an object; one that is named by all of the storage contract), keys, and whether notifiers can be reached. Changes nothing else. What is wrong is in the report, not thrown.
 */
export async function doctor(workspace: Workspace, request: DoctorRequest): Promise<DoctorReport> {
  const cx = contextOf(workspace, request.signal)
  const checks: DoctorCheck[] = [...checkConfiguration(workspace)]
  const { files, databases: configured, storages } = workspace.settings
  const none = configured.size === 0 && (request.databases ?? []).length === 0
  const wanted = !none || (files.size === 0 && request.storage === undefined)
  for (const database of wanted ? selectDatabases(workspace, request.databases) : []) {
    cx.signal.throwIfAborted()
    checks.push(...(await checkDatabase(cx, database)))
  }
  for (const set of files.values()) checks.push(await checkFiles(cx, workspace, set))
  // What holds the files of an application is read, and nothing is written to it.
  const ofBackups = [...storages.values()].filter(({ source }) => source !== true).map(({ name }) => name)
  const names = request.storage === undefined ? ofBackups : [request.storage]
  for (const name of names)
    checks.push(...(await checkStorage(cx, workspace, name, { contract: request.storage !== undefined })))
  checks.push(...(await checkStages(cx, workspace)), ...(await checkNotifiers(cx, workspace)))
  return { checks }
}

function checkConfiguration(workspace: Workspace): readonly DoctorCheck[] {
  const { settings } = workspace
  const subject = 'config'
  const checks: DoctorCheck[] = [
    {
      subject,
      name: 'file',
      status: 'ok',
      message: settings.file ?? 'no configuration file; from the environment',
    },
    { subject, name: 'server name', status: 'ok', message: settings.serverName },
  ]
  const subjects = [...settings.databases.values(), ...settings.files.values()]
  const templates = [settings.filename, ...subjects.map(({ filename }) => filename)]
  if (templates.some((template) => typeof template === 'string' && !template.includes('{datetime}'))) {
    checks.push({
      subject,
      name: 'filename',
      status: 'warning',
      message: 'a filename template has no {datetime}',
      hint: 'backups get numbers in their names; a time is easier to read',
    })
  }
  if (!retains(workspace)) {
    checks.push({
      subject,
      name: 'retention',
      status: 'warning',
      message: 'no retention is configured: every backup is kept',
      hint: 'set retention, such as { daily: 14, weekly: 8 }, and run backup --prune',
    })
  }
  return checks
}

function retains({ settings }: Workspace): boolean {
  const { databases, files, storages } = settings
  const own = [...databases.values(), ...files.values(), ...storages.values()]
  const policies = [settings.retention, ...own.map(({ retention }) => retention ?? {})]
  return policies.some((policy) => Object.keys(policy).some((key) => key !== 'timeZone'))
}

async function checkDatabase(cx: Context, database: DatabaseSettings): Promise<readonly DoctorCheck[]> {
  const subject = `database ${database.alias}`
  const connector = createConnector(database.connector, database, database.backupConnection)
  const checks: DoctorCheck[] = []
  const connected = await attempt(cx, subject, 'connector', async () => {
    const { server, tools } = await connector.inspect(cx)
    checks.push(
      ...tools.map(({ name, version, path, reason }): DoctorCheck => ({
        subject,
        name,
        status: 'ok',
        message: `${version} (${path})${reason === undefined ? '' : `; ${reason}`}`,
      })),
      ...server.warnings.map((message): DoctorCheck => ({
        subject,
        name: 'warning',
        status: 'warning',
        message,
      })),
    )
    const tables =
      server.tables.length === 0 && server.objectCount > 0
        ? ''
        : `, ${counted(server.tables.length, 'table')}`
    return `${connector.name} reads ${server.product} ${server.version}${tables}`
  })
  return [
    connected,
    ...checks,
    ...(await checkRestoreAccount(cx, subject, database)),
    ...(await checkSwaps(cx, subject, database)),
    ...checkFormat(subject, database.connector),
  ]
}

function checkFormat(
  subject: string,
  { name, format }: DatabaseSettings['connector'],
): readonly DoctorCheck[] {
  if (format.checked !== false) return []
  return [
    {
      subject,
      name: 'format',
      status: 'warning',
      message: `nothing in a dump of ${name} tells whether it is whole: its digests are known, and that it is not empty`,
      hint: 'give the connector a format with endsWith, or with a checker',
    },
  ]
}

/** Where backups have a connection of their own, the one of restores is tried, too. */
async function checkRestoreAccount(
  cx: Context,
  subject: string,
  { engine, connection, backupConnection }: DatabaseSettings,
): Promise<readonly DoctorCheck[]> {
  if (connection === backupConnection) return []
  return [
    await attempt(cx, subject, 'restore', async () => {
      const session = await engine.open(cx, connection)
      const { product, version } = await session.facts().finally(() => session.close())
      return `the connection for restores reaches ${product} ${version}`
    }),
  ]
}
