import type { DumpFormat } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ManifestPart } from '../catalog/manifest.js'
import { tarFormat } from '../files/tar/format.js'
import { portableChecker } from '../portable/portable-checker.js'
import type { Observer } from '../streams/measure.js'
import { drain, progressObserver, readArtifact, readStored } from './artifact-reader.js'
import { readHold, type Hold } from './backup-leases.js'
import { tellFailure, type Standing } from './failure-hooks.js'
import { copiesAmong } from './find-backup.js'
import { listManifests } from './list.js'
import type { OpenStorage } from './open-storages.js'
import type { StoredBackup, VerifiedPart, VerifyReport, VerifyResult } from './reports.js'
import type { VerifyRequest } from './requests.js'
import { contextOf, notice, type Workspace } from './workspace.js'

/**
 * Reads every byte of backups: the stored bytes against their digest, decryption, decompression, the dump against its digest,
 * and the format's own structure; the signatures and chains of signed backups. Each backup has its outcome; a manifest that cannot be read is one that fails.
 * @param results filled as the work goes on, for whoever wants to know of it when it is interrupted
 */
export async function verify(
  workspace: Workspace,
  request: VerifyRequest,
  results: VerifyReport['results'][number][] = [],
): Promise<VerifyReport> {
  const cx = contextOf(workspace, request.signal)
  const { backups, damaged } = await chosenBackups(workspace, request, cx.signal)
  results.push(...damaged.map(({ key, storage, error }) => ({ id: key, ok: false, error, storage }) as const))
  const holds = await readHolds(workspace, cx, backups)
  try {
    await verifyEach(workspace, cx, backups, results)
  } finally {
    for (const hold of holds) await hold.release()
  }
  return { results }
}

/** One for each storage. @throws locked.by-another-run, usage.backup-not-found */
async function readHolds(
  workspace: Workspace,
  cx: Context,
  backups: readonly StoredBackup[],
): Promise<readonly Hold[]> {
  const holds: Hold[] = []
  try {
    for (const name of new Set(backups.map(({ storage }) => storage))) {
      const own = backups.filter(({ storage }) => storage === name)
      holds.push(await readHold(cx, await workspace.storages.get(name), own))
    }
    return holds
  } catch (error) {
    for (const hold of holds) await hold.release()
    throw error
  }
}

async function verifyEach(
  workspace: Workspace,
  cx: Context,
  backups: readonly StoredBackup[],
  results: VerifyReport['results'][number][],
): Promise<void> {
  const { signal } = cx
  for (const backup of backups) {
    const { id } = backup.manifest
    const standing: Standing = { operation: 'verify', phase: 'verify' }
    try {
      const result = await verifyBackup(workspace, cx, backup)
      standing.phase = 'after'
      await tellVerified(workspace, cx, backup)
      results.push({ id, ok: true, result })
    } catch (thrown) {
      const error = asHoldfastError(thrown)
      if (standing.phase === 'verify') await tellVerified(workspace, cx, backup, error)
      await tellFailure(workspace, standing, error)
      signal.throwIfAborted()
      results.push({ id, ok: false, error, storage: backup.storage, backup })
    }
  }
}

/** Runs the `afterVerify` hooks. @throws hook.failed where the backup is whole: beside a damaged one it is a warning */
async function tellVerified(
  workspace: Workspace,
  cx: Context,
  { storage, manifest: { id, database } }: StoredBackup,
  error?: HoldfastError,
): Promise<void> {
  if (cx.signal.aborted) return
  const server = workspace.settings.serverName
  const found = error === undefined ? { ok: true } : { ok: false, code: error.code, message: error.message }
  const event = { id, server, storage, database: database.alias, ...found }
  try {
    await workspace.hooks.run(cx, 'verify', 'afterVerify', event)
  } catch (thrown) {
    if (error === undefined || cx.signal.aborted) throw thrown
    notice(workspace, 'warning', asHoldfastError(thrown).message)
  }
}

async function chosenBackups(workspace: Workspace, request: VerifyRequest, signal: AbortSignal) {
  const { chains, ...listed } = await listManifests(workspace, { ...request, signal }, 'read')
  const { backups: named = [] } = request
  if (named.length > 0) {
    const backups = named.flatMap((name) => copiesAmong(workspace, listed, name, request))
    const aliases = new Set(backups.map(({ manifest }) => manifest.database.alias))
    return { backups, damaged: chains.filter(({ alias }) => aliases.has(alias)) }
  }
  const { backups } = listed
  const damaged = [...listed.damaged, ...chains]
  if (backups.length === 0 && damaged.length === 0) {
    throw new HoldfastError('usage.backup-not-found', 'there is no backup to verify')
  }
  if (request.all === true) return { backups, damaged }
  const newest = new Map<string, StoredBackup>()
  for (const backup of backups) {
    // A copy in another storage is bytes of its own.
    const { kind, database, purpose = '' } = backup.manifest
    const subject = `${kind} ${backup.storage} ${database.alias} ${purpose}`
    if (!newest.has(subject)) newest.set(subject, backup)
  }
  return { backups: [...newest.values()], damaged }
}

async function verifyBackup(workspace: Workspace, cx: Context, backup: StoredBackup): Promise<VerifyResult> {
  if (backup.distrust !== undefined) throw backup.distrust
  const started = workspace.env.clock.now().getTime()
  const open = await workspace.storages.get(backup.storage)
  const { manifest } = backup
  const format = formatOf(workspace, manifest.format)
  const parts: VerifiedPart[] = []
  let decoded = true
  for (const part of manifest.parts) {
    decoded = (await verifyPart(workspace, cx, open, manifest.id, part, format)) && decoded
    const { key, bytes } = part.stored
    parts.push({ name: part.name, key, storedBytes: bytes, plainBytes: part.plain.bytes })
  }
  const checked = decoded && format !== undefined && format.checked !== false
  return { backup, parts, decoded, checked, seconds: (workspace.env.clock.now().getTime() - started) / 1000 }
}

/** @returns false where the part is encrypted and no key was given: then its stored bytes alone were compared */
async function verifyPart(
  workspace: Workspace,
  cx: Context,
  open: OpenStorage,
  id: string,
  part: ManifestPart,
  format: DumpFormat | undefined,
): Promise<boolean> {
  const decoding = { kinds: workspace.registry.stages, keys: workspace.keys }
  try {
    const observers = [progressObserver(cx, id, 'verify', part.plain.bytes), ...structureOf(part, format)]
    await drain(await readArtifact(cx, open.storage, part, decoding, ...observers))
    return true
  } catch (thrown) {
    if (asHoldfastError(thrown).code !== 'key.missing') throw thrown
    await drain(
      await readStored(cx, open.storage, part, progressObserver(cx, id, 'verify', part.stored.bytes)),
    )
    return false
  }
}

function structureOf(part: ManifestPart, format: DumpFormat | undefined): readonly Observer[] {
  const checker = part.role === 'portable' ? portableChecker(part.stored.key) : format?.checker(part.role)
  if (checker === undefined) return []
  return [{ push: (chunk) => checker.push(chunk), end: () => checker.end() }]
}

/** The format of that name: of files, or among all connectors; `undefined` for a connector of the user's that is not configured here. */
export function formatOf(workspace: Workspace, name: string): DumpFormat | undefined {
  if (name === tarFormat.name) return tarFormat
  const builtIn = workspace.registry.engines.flatMap((engine) => Object.values(engine.connectors))
  const configured = [...workspace.settings.databases.values()].map(({ connector }) => connector)
  const mapped = Object.values(workspace.settings.connectors ?? {}).filter((each) => typeof each !== 'string')
  return [...configured, ...mapped, ...builtIn].find(({ format }) => format.name === name)?.format
}
