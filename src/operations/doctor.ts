import type { DatabaseSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { attempt } from './doctor-check.js'
import { checkStages } from './doctor-stages.js'
import { checkStorage } from './doctor-storage.js'
import type { DoctorCheck, DoctorReport } from './reports.js'
import type { DoctorRequest } from './requests.js'
import { selectDatabases } from './select-databases.js'
import { contextOf, type Workspace } from './workspace.js'

/**
 * Checks everything that a backup and a restore will need: configuration, databases, tools, storages (by writing, reading
 * and deleting an object), keys. Changes nothing else. What is wrong is in the report, not thrown.
 */
export async function doctor(workspace: Workspace, request: DoctorRequest): Promise<DoctorReport> {
  const cx = contextOf(workspace, request.signal)
  const checks: DoctorCheck[] = [...checkConfiguration(workspace)]
  for (const database of selectDatabases(workspace, request.databases)) {
    cx.signal.throwIfAborted()
    checks.push(...(await checkDatabase(cx, database)))
  }
  const names = request.storage === undefined ? [...workspace.settings.storages.keys()] : [request.storage]
  for (const name of names) checks.push(...(await checkStorage(cx, workspace, name)))
  checks.push(...(await checkStages(cx, workspace)))
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
  const templates = [settings.filename, ...[...settings.databases.values()].map(({ filename }) => filename)]
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
  const policies = [
    settings.retention,
    ...[...settings.databases.values()].map(({ retention }) => retention ?? {}),
  ]
  return policies.some((policy) => Object.keys(policy).some((key) => key !== 'timeZone'))
}

async function checkDatabase(cx: Context, database: DatabaseSettings): Promise<readonly DoctorCheck[]> {
  const subject = `database ${database.alias}`
  const connector = database.connector.create({
    connection: database.backupConnection,
    tools: database.tools,
    options: database.options,
    ...(database.admin === undefined ? {} : { admin: database.admin }),
  })
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
    return `${connector.name} reads ${server.product} ${server.version}, ${server.tables.length} tables`
  })
  return [connected, ...checks]
}
