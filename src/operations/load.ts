import { resolve } from 'node:path'
import type { DatabaseSettings } from '../config/settings.js'
import { tableText, type DumpStamp, type TableHeader } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { converters } from '../portable/converters/converters.js'
import type { TableSource } from '../portable/table-source.js'
import { defaultFolder } from './dump.js'
import { openPortableBackup } from './portable-backup.js'
import { openFileSource } from './file-source.js'
import { rowsOf } from './live-source.js'
import { compareMigrations, isMissing, requireFilled } from './load-checks.js'
import { nextIds, planLoad, withCreated, type LoadPlan } from './load-plan.js'
import { describePlans } from './load-report.js'
import { loadTables, requireArrived, requireFitting, requireKnownFields } from './load-tables.js'
import type { LoadReport, LoadedTable } from './portable-reports.js'
import type { LoadRequest } from './portable-requests.js'
import { oneDatabase } from './select-databases.js'
import { contextOf, notice, type Workspace } from './workspace.js'

/**
 * Loads a portable dump in one transaction.
 * @throws usage.*, integrity.*, refused.*, database.*: the target is as it was
 */
export async function load(workspace: Workspace, request: LoadRequest): Promise<LoadReport> {
  const cx = contextOf(workspace, request.signal)
  const target = oneDatabase(workspace, request.database)
  const source = await openInput(cx, workspace, target, request)
  try {
    return await loadFrom(cx, workspace, source, target, request)
  } finally {
    await source.close()
  }
}

async function openInput(
  cx: Context,
  workspace: Workspace,
  target: DatabaseSettings,
  request: LoadRequest,
): Promise<TableSource> {
  const { input = defaultFolder, from, fromBackup, acceptEdits = false, create = false } = request
  if (fromBackup !== undefined) {
    refuseBesideBackup(request)
    return openPortableBackup(cx, workspace, target, fromBackup, request)
  }
  if (from === undefined) return openFileSource(cx, workspace, input, acceptEdits)
  const converter = converters[from]
  if (converter === undefined)
    throw new HoldfastError(
      'usage.invalid',
      `there is no format ${from}; known: ${Object.keys(converters).join(', ')}`,
    )
  if (typeof input !== 'string')
    throw new HoldfastError(
      'usage.invalid',
      `a dump of ${from} is read from its folder or file, not from a stream`,
    )
  const tables = await targetTables(cx, target).catch((error: unknown) => {
    if (create && isMissing(error)) return []
    throw error
  })
  return converter(cx, resolve(cx.env.workingDirectory, input), tables)
}

/** A backup says itself where its rows are, and nobody has edited them. @throws usage.invalid */
function refuseBesideBackup({ input, from, acceptEdits }: LoadRequest): void {
  const beside = Object.entries({ input, from, acceptEdits }).find(([, value]) => value !== undefined)
  if (beside !== undefined)
    throw new HoldfastError('usage.invalid', `${beside[0]} does not go with fromBackup`, {
      hint: 'leave one of them out',
    })
}

async function targetTables(cx: Context, target: DatabaseSettings): Promise<readonly TableHeader[]> {
  const rows = await rowsOf(target).openSource(cx, target.connection)
  return rows.tables().finally(() => rows.close())
}

/** @param source any: files, a live database, what a converter makes of another tool's files */
export async function loadFrom(
  cx: Context,
  workspace: Workspace,
  source: TableSource,
  target: DatabaseSettings,
  request: Omit<LoadRequest, 'input' | 'database'>,
): Promise<LoadReport> {
  const started = workspace.env.clock.now().getTime()
  const { mode = 'replace', dryRun = false } = request
  const compare = mode === 'replace' && !dryRun && request.check !== false
  refuseParts(source, target)
  await compareMigrations(cx, workspace, source, target, request)
  const sink = await rowsOf(target).openSink(cx, target.connection, {
    mode,
    dryRun,
    create: request.create ?? false,
  })
  try {
    const plan = await planLoad(workspace, source, target, sink, request)
    const report = (
      loaded: boolean,
      tables: readonly LoadedTable[],
      warnings: readonly string[],
    ): LoadReport => ({
      loaded,
      source: source.name,
      target: target.alias,
      place: placeOf(target),
      databaseName: target.connection.name,
      protected: target.protected,
      mode,
      tables,
      unknownTables: plan.unknownTables,
      losses: plan.losses,
      seconds: (workspace.env.clock.now().getTime() - started) / 1000,
      warnings,
    })
    const created = new Set(plan.created.map(({ table }) => tableText(table.table)))
    if (!dryRun) {
      refuseLosses(plan, request)
      requireFilled(plan.tables)
      await confirmed(report(false, describePlans(plan.tables, created, new Map(), new Map()), []), request)
      await sink.create(plan.created)
      if (plan.created.length > 0) plan.tables = withCreated(plan.tables, await sink.tables())
      await sink.begin(plan.tables.map((each) => each.target))
    }
    const now = workspace.env.clock.now().toISOString()
    const outcome = await loadTables(cx, source, sink, plan.tables, {
      dryRun,
      subject: target.alias,
      fitting: {
        now,
        hooks: workspace.settings.portable.hooks ?? {},
        wrappers: sink.capabilities.wrappers,
        fixedScale: sink.capabilities.fixedScale,
        keepsOrder: sink.capabilities.keepsOrder === true,
        errorQuit: request.errorQuit ?? false,
        compare,
      },
    })
    if (dryRun) {
      await sink.abandon()
      return report(
        false,
        describePlans(plan.tables, created, outcome.fitted, outcome.written),
        plan.warnings,
      )
    }
    if (request.ignoreUnknown !== true) requireKnownFields(outcome.fitted)
    requireFitting(outcome.fitted)
    await requireArrived(sink, plan.tables, outcome, compare)
    const { warnings, deleted } = await sink.finish(nextIds(plan.tables))
    for (const warning of [...plan.warnings, ...warnings]) notice(workspace, 'warning', warning)
    return report(true, describePlans(plan.tables, created, outcome.fitted, outcome.written, deleted), [
      ...plan.warnings,
      ...warnings,
    ])
  } catch (error) {
    await sink.abandon()
    throw error
  }
}

function refuseLosses({ losses }: LoadPlan, { acceptLossy = false }: Pick<LoadRequest, 'acceptLossy'>): void {
  if (losses.length === 0 || acceptLossy) return
  throw new HoldfastError(
    'refused.lossy',
    `the target cannot hold all of the dump: ${losses.slice(0, 5).join('; ')}${losses.length > 5 ? ` and ${losses.length - 5} more` : ''}`,
    {
      details: { losses },
    },
  )
}

/** What is not all of a database must not take the place of one that matters. */
function refuseParts({ manifest, headers, name }: TableSource, target: DatabaseSettings): void {
  if (!target.protected) return
  const stamped = (stamp: DumpStamp) => headers.some(({ stamps = [] }) => stamps.includes(stamp))
  const what = [
    ...(manifest?.masked === true || stamped('masked') ? ['masked'] : []),
    ...(manifest?.subset === true || stamped('subset') ? ['only a part of its rows'] : []),
  ]
  if (what.length === 0) return
  throw new HoldfastError(
    'refused.protected',
    `${name} is ${what.join(' and ')}: it is not loaded into ${target.alias}, which is protected`,
    {
      hint: 'load it into another database',
    },
  )
}

async function confirmed(
  plan: LoadReport,
  { confirm = false, confirmName }: Pick<LoadRequest, 'confirm' | 'confirmName'>,
): Promise<void> {
  if (plan.protected && confirmName !== undefined && confirmName !== plan.databaseName)
    throw new HoldfastError(
      'refused.protected',
      `${plan.target} is protected, and ${confirmName} is not its name`,
    )
  if (plan.protected && confirmName === undefined && typeof confirm !== 'function')
    throw new HoldfastError('refused.protected', `${plan.target} is protected`, {
      hint: `give its name, ${plan.databaseName}, as confirmName`,
    })
  const destroys =
    (plan.mode === 'replace' || plan.mode === 'sync') && plan.tables.some(({ created }) => !created)
  if (!destroys && !plan.protected) return
  if (!(typeof confirm === 'function' ? await confirm(plan) : confirm))
    throw new HoldfastError('refused.not-confirmed', `the load into ${plan.place} was not confirmed`)
}

function placeOf({ connection: { engine, host, socket, name } }: DatabaseSettings): string {
  const where = socket ?? host
  return where === undefined ? name : `${engine}://${where}/${name}`
}
