import type { Readable } from 'node:stream'
import type { Context } from '../../../env/context.js'
import type {
  Connector,
  ConnectorCapabilities,
  ConnectorFactory,
  Dump,
  DumpRequest,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
} from '../../../engine/connector.js'
import { selectTables } from '../../../engine/selection.js'
import type { ConnectionSettings } from '../../../engine/engine.js'
import { asHoldfastError, HoldfastError } from '../../../errors.js'
import type { DumpInput } from '../program/protocol.js'
import { inspect, requireFile } from '../session.js'
import { sqlFormat } from '../sql-format.js'
import { ask, load, read } from '../tools.js'
import { unusedSettings } from '../unused-settings.js'
import { openStillSource } from '../rows-source.js'
import { factsOf, newNotes, partsOf, type DumpNotes, type MadePart } from './file-connector.js'
import { proofFile } from './proof-file.js'
import { fileBeside } from './file-beside.js'
import { requireSupported } from './requests.js'
import { onlyPart } from './restore-file.js'
import { describeTarget, lookAtTarget, takeBack, type TargetFile } from './restore-target.js'

const name = 'sqlite-dump'

const capabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: false,
  transactionalRestore: true,
  fingerprint: true,
  restoresBeside: true,
  clean: ['none', 'objects', 'database'],
  unused: unusedSettings,
}

/** SQL text, equal in effect to the shell's `.dump`. Restore runs it in one transaction, without the shell. */
export const sqliteDump: ConnectorFactory = {
  name,
  engine: 'sqlite',
  extension: 'sql',
  capabilities,
  format: sqlFormat,
  create: ({ connection }): Connector => ({
    name,
    engine: 'sqlite',
    capabilities,
    inspect: async (cx) => ({ server: await inspect(cx, connection), tools: [] }),
    async dump(cx, request) {
      requireSupported(name, capabilities, request)
      const input = { path: connection.name, ...(await selected(cx, connection, request)) }
      return dumpSql(cx, connection, input, request)
    },
    async prepareRestore(cx, source, request) {
      requireSupported(name, capabilities, request)
      onlyPart(source)
      const target = await lookAtTarget(cx, connection, source, request)
      requireReadable(target, request)
      return describeTarget(target, lossesOf(target, request))
    },
    async restore(cx, source, request) {
      requireSupported(name, capabilities, request)
      return restoreSql(cx, connection, source, request)
    },
  }),
}

/** Patterns become names here, so that one that matches nothing is an error before anything starts. */
async function selected(
  cx: Context,
  connection: ConnectionSettings,
  request: DumpRequest,
): Promise<Omit<DumpInput, 'path'>> {
  if (request.exclude.length + request.excludeData.length === 0) {
    await requireFile(connection.name)
    return { exclude: [], excludeData: [] }
  }
  const { tables } = await inspect(cx, connection)
  const names = (setting: 'exclude' | 'excludeData') =>
    selectTables(request[setting], tables, setting, request.allowMissing).map((table) => table.name)
  return { exclude: names('exclude'), excludeData: names('excludeData') }
}

function dumpSql(
  cx: Context,
  connection: ConnectionSettings,
  input: DumpInput,
  { fingerprint, rows }: DumpRequest,
): Dump {
  const notes = newNotes()
  const make = async (): Promise<MadePart> => {
    const proof = await proofFile(cx, fingerprint)
    const hold = rows === true ? await openRows(cx, connection, notes) : undefined
    const { bytes, warnings } = read(cx, 'dump', { ...input, ...proof.input }, () => hold?.release())
    return {
      part: { name: 'dump', role: 'dump', bytes },
      ended: async () => {
        await hold?.released()
        notes.warnings.push(...(await warnings))
        notes.fingerprint = await proof.read()
      },
      remove: () => proof.remove(),
    }
  }
  return {
    parts: partsOf(make),
    facts: () => Promise.resolve(factsOf(notes)),
    rows: () => notes.rows,
  }
}

/** Opens the rows of the state that will be dumped: nobody writes until `release`. */
async function openRows(
  cx: Context,
  connection: ConnectionSettings,
  { rows }: DumpNotes,
): Promise<{ release(): void; released(): Promise<void> } | undefined> {
  try {
    const { source, release } = await openStillSource(cx, connection)
    rows.source = source
    let released: Promise<void> | undefined
    const end = async () => {
      const still = await release().catch(() => false)
      if (!still) rows.apart = 'there was no moment in which nobody wrote'
    }
    return {
      release: () => void (released ??= end()),
      released: () => (released ??= end()),
    }
  } catch (error) {
    rows.apart = asHoldfastError(error).message
    return undefined
  }
}

/** Into an empty target the SQL makes a new file, with the page size and encoding of the old; else it changes what is there. */
async function restoreSql(
  cx: Context,
  connection: ConnectionSettings,
  source: RestoreSource,
  request: RestoreRequest,
): Promise<RestoreFacts> {
  const part = onlyPart(source)
  const target = await lookAtTarget(cx, connection, source, request)
  requireReadable(target, request)
  try {
    const sql = await source.open(part)
    if (makesNewFile(target, request)) return { warnings: await loadNewFile(cx, target, sql) }
    return {
      warnings: await load(
        cx,
        { path: target.path, mode: request.clean === 'none' ? 'none' : 'objects' },
        sql,
      ),
    }
  } catch (error) {
    await takeBack(cx, connection, target)
    throw error
  }
}

async function loadNewFile(cx: Context, target: TargetFile, sql: Readable): Promise<string[]> {
  const beside = await fileBeside(cx, target.path)
  try {
    const warnings = await load(cx, { path: beside.path, mode: 'new' }, sql)
    const installed = await ask(cx, 'install', {
      from: beside.path,
      target: target.path,
      checked: false,
    })
    return [...warnings, ...installed.warnings]
  } finally {
    await beside.remove()
  }
}

function makesNewFile({ server }: TargetFile, { clean }: RestoreRequest): boolean {
  return clean === 'database' || server === undefined || server.objectCount === 0
}

/** Into a damaged database nothing can be added. @throws database.corrupt */
function requireReadable({ path, exists, server }: TargetFile, { clean }: RestoreRequest): void {
  if (!exists || server !== undefined || clean === 'database') return
  throw new HoldfastError('database.corrupt', `${path} is damaged or not a SQLite database`, {
    hint: 'replace it with --clean database',
  })
}

function lossesOf(target: TargetFile, { clean }: RestoreRequest): string[] {
  const count = target.server?.objectCount ?? 0
  if (count === 0 || clean === 'none') return []
  return clean === 'database'
    ? [`all of ${target.path} is replaced: its tables, views, indexes and triggers (${count})`]
    : [
        `in ${target.path}, which holds tables, views, indexes and triggers (${count}), those that the dump has are replaced`,
      ]
}
