import type { Readable } from 'node:stream'
import type { Context } from '../../../env/context.js'
import type {
  Connector,
  ConnectorCapabilities,
  ConnectorFactory,
  DumpedRows,
  DumpFacts,
  DumpPart,
  DumpRequest,
} from '../../../engine/connector.js'
import type { ConnectionSettings } from '../../../engine/engine.js'
import type { Fingerprint } from '../../../engine/fingerprinter.js'
import { fileFormat } from '../file-format.js'
import { guarded } from '../guarded.js'
import type { CheckInput } from '../program/protocol.js'
import { inspect, requireFile } from '../session.js'
import { ask } from '../tools.js'
import { unusedSettings } from '../unused-settings.js'
import { requireSupported } from './requests.js'
import { prepareFileRestore, restoreFile } from './restore-file.js'

/** What tells one connector of whole files from another. */
export interface FileConnector {
  readonly name: string
  readonly temporaryFile?: string
  /** Makes the one part, which adds to the notes until it has ended. */
  readonly part: (
    cx: Context,
    connection: ConnectionSettings,
    request: DumpRequest,
    notes: DumpNotes,
  ) => Promise<MadePart>
}

/** What is said of a dump when it has ended. */
export interface DumpNotes {
  readonly warnings: string[]
  fingerprint?: Fingerprint | undefined
  readonly rows: { -readonly [Name in keyof DumpedRows]: DumpedRows[Name] }
}

export function newNotes(): DumpNotes {
  return { warnings: [], rows: {} }
}

export interface MadePart {
  readonly part: DumpPart
  /** Runs when the part has been read to its end. */
  readonly ended?: () => Promise<void>
  /** Runs last, whatever has become of it. */
  readonly remove?: () => Promise<void>
}

/**
 * A connector whose dump is a SQLite file. Restore replaces the whole content, whatever `clean` is; with `none` only where
 * there is nothing.
 */
export function fileConnector({ name, temporaryFile, part }: FileConnector): ConnectorFactory {
  const capabilities: ConnectorCapabilities = {
    exclude: false,
    excludeData: false,
    schemas: false,
    transactionalRestore: true,
    partialRestore: true,
    fingerprint: true,
    restoresBeside: true,
    clean: ['none', 'objects', 'database'],
    unused: unusedSettings,
    ...(temporaryFile === undefined ? {} : { temporaryFile }),
  }
  return {
    name,
    engine: 'sqlite',
    extension: 'sqlite3',
    capabilities,
    format: fileFormat,
    create: ({ connection }): Connector => ({
      name,
      engine: 'sqlite',
      capabilities,
      inspect: async (cx) => ({ server: await inspect(cx, connection), tools: [] }),
      async dump(cx, request) {
        requireSupported(name, capabilities, request)
        await requireFile(connection.name)
        const notes = newNotes()
        return {
          parts: partsOf(() => part(cx, connection, request, notes)),
          facts: () => Promise.resolve(factsOf(notes)),
          rows: () => notes.rows,
        }
      },
      async prepareRestore(cx, source, request) {
        requireSupported(name, capabilities, request)
        return prepareFileRestore(cx, connection, source, request)
      },
      async restore(cx, source, request) {
        requireSupported(name, capabilities, request)
        return restoreFile(cx, connection, source, request)
      },
    }),
  }
}

export function factsOf({ warnings, fingerprint }: DumpNotes): DumpFacts {
  return { warnings, ...(fingerprint === undefined ? {} : { fingerprint }) }
}

/** Parts, made when they are asked for; one that is not read to its end is given up. */
export async function* partsOf(make: () => Promise<MadePart>): AsyncGenerator<DumpPart> {
  const { part, ended, remove } = await make()
  try {
    yield part
    await ended?.()
  } finally {
    part.bytes.destroy()
    await remove?.()
  }
}

/** The part of these bytes. A check of the file runs beside it, and must end well before the part may end. */
export function checkedPart(
  cx: Context,
  bytes: Readable,
  file: CheckInput,
  warnings: string[],
  release?: () => Promise<void>,
): DumpPart {
  const stop = new AbortController()
  const check = ask({ ...cx, signal: AbortSignal.any([cx.signal, stop.signal]) }, 'check', file)
  const gate = check.then((report) => warnings.push(...report.warnings))
  const guardedBytes = guarded(bytes, {
    gate,
    explain: (error) => (cx.signal.aborted ? (cx.signal.reason as Error) : (error as Error)),
    release: async () => {
      stop.abort()
      await gate.catch(() => undefined)
      await release?.()
    },
  })
  return { name: 'dump', role: 'dump', bytes: guardedBytes }
}
