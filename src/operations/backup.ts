import { newBackupId } from '../catalog/backup-id.js'
import type { Manifest } from '../catalog/manifest.js'
import { refuseImpossible } from '../config/combinations.js'
import type { DatabaseSettings } from '../config/settings.js'
import type { Connector, ConnectorFacts, DumpFacts } from '../engine/connector.js'
import { unprovenFingerprint, type FingerprintLevel } from '../engine/fingerprinter.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { holdfastVersion } from '../version.js'
import { afterBackup, shortcoming } from './after-backup.js'
import { codeRevision } from './code-revision.js'
import { createConnector } from './create-connector.js'
import { tellFailure, type Standing } from './failure-hooks.js'
import { describeForHooks } from './hook-facts.js'
import { writeToOutput } from './backup-output.js'
import { storeParts } from './backup-storage.js'
import { backupStorages, openEach } from './backup-targets.js'
import { encodingStages, type NamedStage } from './encoding.js'
import { assertFits } from './limits.js'
import { PortableBeside } from './portable-beside.js'
import { formatDatetime, renderFilename } from './filename.js'
import type { BackupResult, Outcome } from './reports.js'
import type { BackupRequest } from './requests.js'
import { requestName, settingName, withOrigins } from './setting-names.js'
import { selectDatabases } from './select-databases.js'
import { contextOf, notice, secondsSince, type Workspace } from './workspace.js'

/**
 * Backs up databases one after the other. One that fails does not stop the others: each has its outcome.
 * @param outcomes filled as the work goes on: who interrupts it can see what is done
 * @throws usage.*, config.* before anything starts; the signal's reason when aborted
 */
export async function backup(
  workspace: Workspace,
  request: BackupRequest,
  outcomes: Outcome<BackupResult>[] = [],
): Promise<readonly Outcome<BackupResult>[]> {
  const databases = selectDatabases(workspace, request.databases)
  if (request.output !== undefined && databases.length > 1) {
    throw new HoldfastError('usage.invalid', 'output takes one database', {
      hint: 'name one database, or leave output out',
    })
  }
  const plans = databases.map((database) => planBackup(workspace, request, database))
  for (const plan of plans) {
    request.signal?.throwIfAborted()
    const database = plan.database.alias
    const standing: Standing = {
      operation: 'backup',
      phase: 'inspect',
      database: describeForHooks(database, plan.database.backupConnection),
    }
    try {
      const result = await backupOne(workspace, request, plan, standing)
      const error = shortcoming(result)
      if (error === undefined) outcomes.push({ database, ok: true, result })
      else {
        await tellFailure(workspace, standing, error)
        outcomes.push({ database, ok: false, error, partial: result })
      }
    } catch (thrown) {
      const error = withOrigins(workspace, plan.database, asHoldfastError(thrown))
      await tellFailure(workspace, standing, request.signal?.aborted === true ? thrown : error)
      request.signal?.throwIfAborted()
      outcomes.push({ database, ok: false, error })
    }
  }
  return outcomes
}

/**
 * Backs up a database right before another state is restored into it: all of it, from the database itself and not from a replica.
 * @throws what a backup throws
 */
export async function backupBeforeRestore(
  workspace: Workspace,
  database: DatabaseSettings,
  signal: AbortSignal,
): Promise<BackupResult> {
  const whole = {
    ...database,
    backupConnection: database.connection,
    exclude: [],
    excludeData: [],
    schemas: [],
  }
  const plan = {
    ...planBackup(workspace, { alsoPortable: false }, whole),
    purpose: 'before-restore' as const,
  }
  const standing: Standing = { operation: 'backup', phase: 'inspect' }
  return backupOne(workspace, { signal }, plan, standing)
}

interface BackupPlan {
  readonly database: DatabaseSettings
  readonly connector: Connector
  readonly stages: readonly NamedStage[]
  /** Names of storages; empty with `output`. */
  readonly storages: readonly string[]
  readonly options: Manifest['options'] & { readonly allowMissing: boolean }
  readonly alsoPortable: boolean
  readonly fingerprint: FingerprintLevel
  readonly purpose?: Manifest['purpose']
}

/** Everything that can be refused without asking a server. */
function planBackup(workspace: Workspace, request: BackupRequest, database: DatabaseSettings): BackupPlan {
  const factory =
    request.connector === undefined ? database.connector : database.engine.connectors[request.connector]
  if (factory === undefined) {
    throw new HoldfastError(
      'usage.invalid',
      `${database.engine.name} has no connector ${request.connector}; it has ${Object.keys(database.engine.connectors).join(', ')}`,
    )
  }
  if (request.output !== undefined && factory.capabilities.severalParts === true) {
    throw new HoldfastError(
      'usage.not-supported',
      `${requestName(workspace, 'output')} does not go with the connector ${factory.name}: its dumps have several parts, and output takes one`,
      { hint: 'back up into a storage, or choose another connector' },
    )
  }
  const alsoPortable = request.alsoPortable ?? database.alsoPortable ?? workspace.settings.alsoPortable
  if (request.output !== undefined && request.alsoPortable === true) {
    throw new HoldfastError(
      'usage.not-supported',
      `${requestName(workspace, 'output')} does not go with ${requestName(workspace, 'alsoPortable')}: output takes one file`,
      { hint: 'back up into a storage, or run holdfast dump for the other file' },
    )
  }
  const options = {
    exclude: request.exclude ?? database.exclude,
    excludeData: request.excludeData ?? database.excludeData,
    schemas: request.schemas ?? database.schemas,
    allowMissing: request.allowMissing ?? false,
  }
  const { engine, options: connectorOptions } = database
  refuseImpossible(
    {
      engine,
      connector: factory,
      options: connectorOptions,
      alsoPortable,
      given: database.given,
      ...options,
    },
    (setting) =>
      Reflect.get(request, setting) === undefined
        ? settingName(workspace, database, setting)
        : requestName(workspace, setting),
  )
  const connector = createConnector(factory, database, database.backupConnection)
  const storages = request.output === undefined ? backupStorages(workspace, request, database) : []
  const stages = encodingStages(workspace, request, storages)
  assertFits(workspace.settings, stages)
  return {
    database: { ...database, connector: factory },
    connector,
    stages,
    storages,
    options,
    // One file is the dump alone.
    alsoPortable: alsoPortable && request.output === undefined,
    fingerprint: request.output === undefined ? fingerprintLevel(workspace, request, database) : 'none',
  }
}

function fingerprintLevel(
  { settings }: Workspace,
  request: BackupRequest,
  { engine, fingerprint }: DatabaseSettings,
): FingerprintLevel {
  return (
    request.fingerprint ??
    settings.chosenFingerprint ??
    fingerprint ??
    settings.fingerprint ??
    engine.fingerprint?.defaultLevel ??
    'none'
  )
}

/** What was wanted and is not there is said in the manifest. */
function fingerprintFor(
  { fingerprint: level, connector }: BackupPlan,
  { fingerprint }: DumpFacts,
): Pick<Manifest, 'fingerprint'> {
  if (level === 'none') return {}
  const why = `the connector ${connector.name} takes no fingerprints`
  return { fingerprint: fingerprint ?? unprovenFingerprint('none', why) }
}

async function backupOne(
  workspace: Workspace,
  request: BackupRequest,
  plan: BackupPlan,
  standing: Standing,
): Promise<BackupResult> {
  const cx = contextOf(workspace, request.signal)
  const { database, connector } = plan
  const started = workspace.env.clock.now()
  const id = newBackupId(workspace.env)
  const [facts, revision] = await Promise.all([
    connector.inspect(cx, { schemaHash: false }),
    codeRevision(cx, workspace.settings.baseDirectory),
  ])
  const warned = [...facts.server.warnings, ...emptiness(facts)]
  for (const warning of warned) notice(workspace, 'warning', `${database.alias}: ${warning}`)
  const hookFacts = {
    database: describeForHooks(database.alias, database.backupConnection),
    connector: connector.name,
    server: workspace.settings.serverName,
  }
  standing.phase = 'before'
  await workspace.hooks.run(cx, 'backup', 'beforeBackup', hookFacts)

  standing.phase = 'dump'
  const portable = plan.alsoPortable
    ? new PortableBeside(cx, workspace, database, plan.options, facts.server.migrations)
    : undefined
  const start = async () => {
    const rows = portable === undefined ? {} : { rows: true as const }
    const dump = await connector.dump(cx, { ...plan.options, fingerprint: plan.fingerprint, ...rows })
    assertFits(workspace.settings, plan.stages, dump.concurrency)
    return portable?.added(dump) ?? dump
  }
  const target = {
    id,
    alias: database.alias,
    format: database.connector.format,
    stages: plan.stages,
    ...sizeOf(facts),
    ...(portable === undefined ? {} : { portable }),
  }
  if (request.output !== undefined) {
    const { warnings, ...written } = await writeToOutput(cx, request.output, target, await start())
    return {
      id,
      ...written,
      copies: [],
      failedStorages: [],
      seconds: secondsSince(workspace, started),
      warnings: [...warned, ...warnings],
    }
  }

  const { opened, unopened } = await openEach(cx, workspace, plan.storages)
  const filename =
    filenameFor(workspace, database, started) + plan.stages.map(({ extension }) => extension).join('')
  const { stored, failed } = await storeParts(cx, opened, { ...target, filename }, start, async (dumped) => ({
    formatVersion: 1,
    id,
    kind: 'database',
    created: started.toISOString(),
    finished: workspace.env.clock.now().toISOString(),
    server: workspace.settings.serverName,
    writer: holdfastVersion,
    database: { alias: database.alias, name: facts.server.database },
    ...(plan.purpose === undefined ? {} : { purpose: plan.purpose }),
    engine: database.engine.name,
    connector: connector.name,
    format: database.connector.format.name,
    source: sourceOf(facts),
    tools: facts.tools.map(({ name, version }) => ({ name, version })),
    ...(revision === undefined ? {} : { revision }),
    migrations: facts.server.migrations,
    schemaHash: schemaHashOf(facts, dumped),
    ...fingerprintFor(plan, dumped),
    options: {
      exclude: plan.options.exclude,
      excludeData: plan.options.excludeData,
      schemas: plan.options.schemas,
    },
    warnings: [...warned, ...dumped.warnings],
    metadata:
      (await workspace.settings.metadata?.({
        database: database.alias,
        engine: database.engine.name,
        connector: connector.name,
        server: workspace.settings.serverName,
      })) ?? {},
  }))
  const [{ open, manifest, storedName }] = stored
  const event = { ...hookFacts, filename: storedName, storage: open.name, manifest }
  const failedPortable = portable?.failure()
  return afterBackup(cx, workspace, {
    stored,
    failed,
    unopened,
    ...(failedPortable === undefined ? {} : { failedPortable }),
    alias: database.alias,
    started,
    standing,
    prune: request.prune === true,
    tell: () => workspace.hooks.run(cx, 'backup', 'afterBackup', event),
  })
}

function schemaHashOf({ server }: ConnectorFacts, dumped: DumpFacts): string {
  const schemaHash = dumped.schemaHash ?? server.schemaHash
  if (schemaHash === undefined)
    throw new TypeError('a connector tells the digest of the definitions before a dump or after it')
  return schemaHash
}

/** A database that lost its disk, or the wrong one, looks like this. */
function emptiness({ server }: ConnectorFacts): readonly string[] {
  return server.objectCount === 0 ? ['the database holds nothing: no table and no view'] : []
}

function filenameFor(workspace: Workspace, database: DatabaseSettings, started: Date): string {
  const { settings } = workspace
  return renderFilename(database.filename ?? settings.filename, {
    database: database.alias,
    server: settings.serverName,
    datetime: formatDatetime(started, settings.dateFormat),
    engine: database.engine.name,
    extension: database.extension ?? database.connector.extension,
  })
}

function sourceOf({ server }: ConnectorFacts): Manifest['source'] {
  const { product, version, encoding, tables } = server
  return { product, version, tables: tables.length, ...(encoding === undefined ? {} : { encoding }) }
}

/** The size of the database stands in for the size of its dump, which nobody knows before. */
function sizeOf({ server }: ConnectorFacts): { readonly totalBytes?: number } {
  return server.sizeBytes === undefined ? {} : { totalBytes: server.sizeBytes }
}
