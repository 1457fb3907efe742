import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { holdfastVersion } from '../version.js'
import { assertEqual } from './compare-restored.js'
import { checkError, runCheck, withoutSecrets } from './drill-check.js'
import { compareCopy, compareSchema, restoreCopy, type CopySchema } from './drill-copy.js'
import { drillMarkdown, sentences } from './drill-report.js'
import { databaseOn, throwawayServer, type DrillPlace } from './drill-server.js'
import { tellFailure } from './failure-hooks.js'
import { readHold, type Hold } from './backup-leases.js'
import { findBackup, isWanted } from './find-backup.js'
import { listManifests } from './list.js'
import type { DrillCheck, DrillProof, DrillReport, DrillResult } from './drill-results.js'
import type { Comparison, ListReport, StoredBackup } from './reports.js'
import type { DrillRequest } from './requests.js'
import { contextOf, type Workspace } from './workspace.js'

/**
 * Restores backups to prove them: into a server that is there for that alone, compared with the manifest, looked at by the user's own check,
 * with a report beside the manifest. Each backup has its outcome.
 * @param results filled as the work goes on, for whoever wants to know of it when it is interrupted
 * @throws usage.* before anything has started; interrupted.*, when all has been cleared up
 */
export async function drill(
  workspace: Workspace,
  request: DrillRequest,
  results: DrillResult[] = [],
): Promise<DrillReport> {
  const cx = contextOf(workspace, request.signal)
  const { backups, damaged } = await chosenBackups(workspace, request, cx.signal)
  results.push(
    ...damaged.map(({ key, storage, error }) => ({ id: key, storage, error, ok: false, keys: [] })),
  )
  for (const backup of backups) {
    const result = await drillOne(cx, workspace, request, backup)
    if (result.error !== undefined)
      await tellFailure(workspace, { operation: 'drill', phase: 'verify' }, result.error)
    cx.signal.throwIfAborted()
    results.push(result)
  }
  return { results }
}

/** Each backup once, wherever else it lies: the first configured storage that has it. */
async function chosenBackups(
  workspace: Workspace,
  { backups: named = [], all = false, ...filter }: DrillRequest,
  signal: AbortSignal,
): Promise<{ readonly backups: readonly StoredBackup[]; readonly damaged: ListReport['damaged'] }> {
  const wanted = { ...filter, kind: 'database', signal } as const
  if (named.length > 0) {
    const backups: StoredBackup[] = []
    for (const name of named) backups.push(await findBackup(workspace, name, wanted, signal))
    return { backups, damaged: [] }
  }
  const { backups, damaged } = await listManifests(workspace, wanted)
  if (backups.length === 0 && damaged.length === 0)
    throw new HoldfastError('usage.backup-not-found', 'there is no backup to restore')
  const subject = ({ manifest }: StoredBackup) => (all ? manifest.id : manifest.database.alias)
  const chosen = new Map<string, StoredBackup>()
  for (const backup of backups)
    if ((all || isWanted(backup)) && !chosen.has(subject(backup))) chosen.set(subject(backup), backup)
  return { backups: [...chosen.values()], damaged }
}

async function drillOne(
  cx: Context,
  workspace: Workspace,
  request: DrillRequest,
  backup: StoredBackup,
): Promise<DrillResult> {
  const { manifest, storage } = backup
  const known = { id: manifest.id, storage, database: manifest.database.alias }
  let hold: Hold | undefined
  try {
    if (backup.distrust !== undefined) throw backup.distrust
    hold = await readHold(cx, await workspace.storages.get(storage), [backup])
    const { proof, error } = await prove(cx, workspace, request, backup)
    if (proof === undefined) return { ...known, ok: false, ...failed(error), keys: [] }
    const { keys, error: unwritten } = await written(cx, workspace, backup, proof)
    return {
      ...known,
      ok: error === undefined && unwritten === undefined,
      proof,
      keys,
      ...failed(error ?? unwritten),
    }
  } catch (thrown) {
    cx.signal.throwIfAborted()
    return { ...known, ok: false, ...failed(asHoldfastError(thrown)), keys: [] }
  } finally {
    await hold?.release()
  }
}

function failed(error: HoldfastError | undefined): Pick<DrillResult, 'error'> {
  return error === undefined ? {} : { error }
}

/** A drill without its report has proved nothing to whoever looks later. */
async function written(
  cx: Context,
  workspace: Workspace,
  { storage, manifest }: StoredBackup,
  proof: DrillProof,
): Promise<{ readonly keys: readonly string[]; readonly error?: HoldfastError }> {
  try {
    const { catalog } = await workspace.storages.get(storage)
    const drilled = { time: new Date(proof.finished), result: proof.result }
    const signed = workspace.settings.signing.sign(proof) ?? proof
    const json = `${JSON.stringify(signed, undefined, 2)}\n`
    return { keys: await catalog.addDrill(cx, manifest, drilled, { json, markdown: drillMarkdown(proof) }) }
  } catch (thrown) {
    cx.signal.throwIfAborted()
    const { code, message, hint } = asHoldfastError(thrown)
    const error = new HoldfastError(code, `the report of the drill was not written: ${message}`, {
      cause: thrown,
      hint,
    })
    return { keys: [], error }
  }
}

/** What was found out of one copy, step by step. */
interface Findings {
  error?: HoldfastError | undefined
  restored: boolean
  warnings: readonly string[]
  comparison?: Comparison | undefined
  schema: CopySchema
  check?: DrillCheck
  readonly seconds: { -readonly [Step in keyof DrillProof['seconds']]: number }
}

/** @returns no proof where nothing was found out about the backup */
async function prove(
  cx: Context,
  workspace: Workspace,
  { into, newer = false, check }: DrillRequest,
  backup: StoredBackup,
): Promise<{ readonly proof?: DrillProof; readonly error?: HoldfastError }> {
  const { clock } = workspace.env
  const { manifest } = backup
  const started = clock.now()
  const findings: Findings = {
    restored: false,
    warnings: [],
    schema: { schema: 'not compared', why: 'there is no copy' },
    seconds: { server: 0, restore: 0, compare: 0, check: 0 },
  }
  const timed = async <Result>(step: keyof Findings['seconds'], work: () => Promise<Result>) => {
    const from = clock.now().getTime()
    return work().finally(() => (findings.seconds[step] = (clock.now().getTime() - from) / 1000))
  }
  const place = await timed('server', async () =>
    into === undefined
      ? throwawayServer(cx, workspace, manifest, newer)
      : databaseOn(cx, workspace, manifest, into),
  )
  try {
    findings.warnings = await timed('restore', () => restoreCopy(cx, workspace, backup, place))
    findings.restored = true
    await timed('compare', async () => {
      findings.comparison = await compareCopy(cx, manifest, place)
      findings.schema = await compareSchema(cx, manifest, place)
    })
    if (check !== undefined)
      findings.check = await timed('check', () =>
        runCheck(cx, workspace, check, manifest, place, findings.comparison),
      )
    findings.error = verdict(backup, findings)
  } catch (thrown) {
    cx.signal.throwIfAborted()
    findings.error = asHoldfastError(thrown)
  } finally {
    await place.dispose()
  }
  const { error } = findings
  if (error !== undefined && !findings.restored && saysNothing(error)) return { error }
  const proof = proofOf(workspace, backup, place, findings, { started, finished: clock.now() })
  return error === undefined ? { proof } : { proof, error }
}

/** What is wrong with the copy; undefined where nothing is. */
function verdict(
  { manifest }: StoredBackup,
  { comparison, schema, check }: Findings,
): HoldfastError | undefined {
  const place = 'the copy'
  try {
    if (comparison !== undefined) assertEqual(place, comparison)
  } catch (thrown) {
    return asHoldfastError(thrown)
  }
  if (schema.schema === 'differs')
    return new HoldfastError(
      'integrity.differs',
      `${place} differs from the backup: its definitions have another digest`,
    )
  return check === undefined ? undefined : checkError(manifest, check)
}

/** Errors that stand for this machine, the storage or the call, and not for the backup. */
function saysNothing({ code }: HoldfastError): boolean {
  return ofThisMachine.some((each) => (each.endsWith('.') ? code.startsWith(each) : code === each))
}

const ofThisMachine = [
  ...['usage.', 'config.', 'key.', 'storage.', 'devserver.', 'locked.', 'refused.', 'interrupted.'],
  ...['tool.missing', 'tool.too-old', 'tool.version-missing', 'integrity.wrong-key'],
  ...['database.unreachable', 'database.login-refused', 'database.denied', 'database.not-found'],
  ...['database.busy', 'database.requirement-missing'],
]

function proofOf(
  { settings }: Workspace,
  { storage, manifest }: StoredBackup,
  place: DrillPlace,
  { error, restored, warnings, comparison, schema, check, seconds }: Findings,
  { started, finished }: { readonly started: Date; readonly finished: Date },
): DrillProof {
  const { id, created, database, source } = manifest
  const facts = {
    restoredInto: { ...place.server, ...schema.server },
    ...(comparison === undefined ? {} : { comparison }),
    schema: schema.schema,
    ...(check === undefined ? {} : { check }),
  }
  return {
    formatVersion: 1,
    result: error === undefined ? 'passed' : 'failed',
    backup: {
      id,
      storage,
      created,
      database: database.alias,
      product: source.product,
      version: source.version,
    },
    started: started.toISOString(),
    finished: finished.toISOString(),
    seconds,
    writer: holdfastVersion,
    machine: settings.serverName,
    ...facts,
    ...(restored
      ? sentences(facts, { why: schema.why, accounts: place.target.engine.capabilities.server })
      : { proved: [], unproven: ['everything: it was not restored'] }),
    warnings,
    ...(error === undefined
      ? {}
      : { error: { code: error.code, message: withoutSecrets(error.message, place) } }),
  }
}
