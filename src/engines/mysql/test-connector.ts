/** The connector at work on scratch databases. Used by the tests of this room alone. */
import { readdir, readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type {
  Connector,
  ConnectorOptions,
  ConnectorSettings,
  DumpRequest,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
  ToolSettings,
} from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { nodeEnv } from '../../env/node-env.js'
import { runTool } from '../../process/run.js'
import { partsSource, readDump, type ReadPart } from '../../testing/connector-workbench.js'
import { mysqlParallel } from './connectors/mysql-parallel.js'
import { mysqldump } from './connectors/mysqldump.js'
import type { ScratchDatabase } from './test-database.js'

export interface Changes {
  readonly tools?: Partial<ToolSettings>
  readonly options?: ConnectorOptions
  /** Another account than the one that may do everything. */
  readonly connection?: ConnectionSettings
  readonly context?: Context
}

export interface ScratchDump {
  readonly bytes: Buffer
  readonly text: string
  readonly warnings: readonly string[]
}

export function connectorOf(database: ScratchDatabase, changes: Changes = {}): Connector {
  const connection = changes.connection ?? database.connection
  return mysqldump(connection.engine).create(scratchSettings(connection, changes))
}

export async function dumpOf(
  database: ScratchDatabase,
  changes: Changes & { readonly request?: Partial<DumpRequest> } = {},
): Promise<ScratchDump> {
  const request = { exclude: [], excludeData: [], schemas: [], allowMissing: false, ...changes.request }
  const dump = await connectorOf(database, changes).dump(changes.context ?? scratchContext(), request)
  const chunks: Buffer[] = []
  for await (const part of dump.parts) for await (const chunk of part.bytes) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  return { bytes, text: bytes.toString(), warnings: (await dump.facts()).warnings }
}

export function requestOf(changes: Partial<RestoreRequest> = {}): RestoreRequest {
  return { clean: 'objects', create: false, disconnect: false, schemas: [], ...changes }
}

/** A dump in pieces of 64 KiB, as they come from a storage. */
export function sourceOf(dump: Buffer | string): RestoreSource {
  const bytes = Buffer.from(dump)
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
  }
  return {
    parts: [{ name: 'dump', role: 'dump' }],
    open: () => Promise.resolve(Readable.from(pieces(), { objectMode: false })),
  }
}

export function restoreInto(
  database: ScratchDatabase,
  dump: Buffer | string,
  request: Partial<RestoreRequest> = {},
  changes: Changes = {},
): Promise<RestoreFacts> {
  const cx = changes.context ?? scratchContext()
  return connectorOf(database, changes).restore(cx, sourceOf(dump), requestOf(request))
}

/** Of `mysql-parallel`, with sizes of which small tables have several pieces. */
export function parallelConnectorOf(database: ScratchDatabase, changes: Changes = {}): Connector {
  const connection = changes.connection ?? database.connection
  const settings = scratchSettings(connection, { options: { jobs: 4 }, ...changes })
  return mysqlParallel(connection.engine, { pieceBytes: 20_000 }).create(settings)
}

/** Dumps one database in pieces and makes the other of them. */
export async function copyInPieces(
  source: ScratchDatabase,
  target: ScratchDatabase,
  changes: Changes = {},
): Promise<{ readonly parts: readonly ReadPart[]; readonly warnings: readonly string[] }> {
  const cx = changes.context ?? scratchContext()
  const request = { exclude: [], excludeData: [], schemas: [], allowMissing: false }
  const parts = await readDump(await parallelConnectorOf(source, changes).dump(cx, request))
  const connector = parallelConnectorOf(target, changes)
  const { warnings } = await connector.restore(cx, partsSource(parts), requestOf({ create: true }))
  return { parts, warnings }
}

/** A context of the real machine that never aborts by itself. */
export function scratchContext(signal = new AbortController().signal): Context {
  return { env: nodeEnv(), signal, emit: () => undefined }
}

/** Settings of a connector as a configuration without any gives them. */
export function scratchSettings(
  connection: ConnectionSettings,
  changes: Pick<Changes, 'tools' | 'options'> = {},
): ConnectorSettings {
  return {
    connection,
    tools: {
      ...{ dumpPrefix: [], dumpSuffix: [], restorePrefix: [], restoreSuffix: [] },
      ...{ env: {}, dumpEnv: {}, restoreEnv: {}, inheritEnv: true },
      ...changes.tools,
    },
    options: changes.options ?? {},
  }
}

/**
 * Arguments and environment of every other process, as root or the same account may read them: from /proc where there is
 * one, elsewhere from ps.
 */
export async function otherProcesses(): Promise<readonly string[]> {
  const own = new Set([process.pid, process.ppid].map(String))
  const names = await readdir('/proc').catch(() => undefined)
  if (names === undefined) {
    const { stdout } = await runTool(scratchContext(), {
      program: 'ps',
      args: ['-A', '-E', '-o', 'pid=,command='],
    })
    return stdout.split('\n').filter((line) => !own.has(line.trim().split(' ')[0] ?? ''))
  }
  const read = (path: string) => readFile(path, 'latin1').catch(() => '')
  return Promise.all(
    names
      .filter((name) => /^\d+$/u.test(name) && !own.has(name))
      .map(async (pid) => `${await read(`/proc/${pid}/cmdline`)}\n${await read(`/proc/${pid}/environ`)}`),
  )
}
