/** The connectors at work on scratch databases. Used by the tests of this room alone. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type {
  Connector,
  ConnectorFactory,
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
import { mongodump } from './connectors/mongodump.js'
import type { ScratchAddress, ScratchDatabase } from './test-database.js'

export interface Changes {
  readonly factory?: ConnectorFactory
  readonly tools?: Partial<ToolSettings>
  readonly options?: ConnectorOptions
  /** Another connection than that of the account which may do everything. */
  readonly connection?: ConnectionSettings
  readonly context?: Context
}

export interface ScratchDump {
  readonly bytes: Buffer
  readonly warnings: readonly string[]
}

/** The tools that the server's tests come with. */
export function scratchTools({ binDirectory }: Pick<ScratchAddress, 'binDirectory'>): ToolSettings {
  return {
    dumpCommand: [join(binDirectory, 'mongodump')],
    restoreCommand: [join(binDirectory, 'mongorestore')],
    ...{ dumpPrefix: [], dumpSuffix: [], restorePrefix: [], restoreSuffix: [] },
    ...{ env: {}, dumpEnv: {}, restoreEnv: {}, inheritEnv: true },
  }
}

/** Settings of a connector as a configuration without any gives them. */
export function scratchSettings(database: ScratchDatabase, changes: Changes = {}): ConnectorSettings {
  return {
    connection: changes.connection ?? database.connection,
    tools: { ...scratchTools(database.address), ...changes.tools },
    options: changes.options ?? {},
  }
}

export function connectorOf(database: ScratchDatabase, changes: Changes = {}): Connector {
  return (changes.factory ?? mongodump).create(scratchSettings(database, changes))
}

export async function dumpOf(
  database: ScratchDatabase,
  changes: Changes & { readonly request?: Partial<DumpRequest> } = {},
): Promise<ScratchDump> {
  const request = { exclude: [], excludeData: [], schemas: [], allowMissing: false, ...changes.request }
  const dump = await connectorOf(database, changes).dump(changes.context ?? scratchContext(), request)
  const chunks: Buffer[] = []
  for await (const part of dump.parts) for await (const chunk of part.bytes) chunks.push(chunk as Buffer)
  return { bytes: Buffer.concat(chunks), warnings: (await dump.facts()).warnings }
}

export function requestOf(changes: Partial<RestoreRequest> = {}): RestoreRequest {
  return { clean: 'objects', create: false, disconnect: false, schemas: [], ...changes }
}

/** A dump in pieces of 64 KiB, as they come from a storage. */
export function sourceOf(bytes: Buffer): RestoreSource {
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
  dump: Buffer,
  request: Partial<RestoreRequest> = {},
  changes: Changes = {},
): Promise<RestoreFacts> {
  const cx = changes.context ?? scratchContext()
  return connectorOf(database, changes).restore(cx, sourceOf(dump), requestOf(request))
}

/** A context of the real machine that never aborts by itself. */
export function scratchContext(signal = new AbortController().signal): Context {
  return { env: nodeEnv(), signal, emit: () => undefined }
}

/** Arguments and environment of every other process, as root or the same account may read them. */
export async function otherProcesses(): Promise<readonly string[]> {
  const own = new Set([process.pid, process.ppid].map(String))
  const read = (path: string) => readFile(path, 'latin1').catch(() => '')
  const names = await readdir('/proc').catch(() => [])
  return Promise.all(
    names
      .filter((name) => /^\d+$/u.test(name) && !own.has(name))
      .map(async (pid) => `${await read(`/proc/${pid}/cmdline`)}\n${await read(`/proc/${pid}/environ`)}`),
  )
}
