import { Readable } from 'node:stream'
import type { ConnectorSettings, RestoreRequest, RestoreSource } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { editedArchive, type EditEntry } from './archive-edit.js'
import { archiveRestore, feedArchive, openArchive } from './archive-restore.js'
import { archiveSettings } from './archive-selection.js'
import { ArchiveHeadReader, type ArchiveEntry } from './archive-toc.js'
import { placeOf } from './connection.js'
import { refuseContradictions } from './partial-restore.js'
import { archivePart, readPieces, type StoredPiece } from './pieces.js'
import type { FeedRun, RestoreFormat } from './restore.js'
import { connectForCopy } from './session.js'
import { doAll } from '../work-queue.js'

/**
 * Several connections are several transactions: first the definitions, in one; then the rows, and the indexes of each table once
 * its rows are there, by all connections; last what looks at rows or acts on them, such as foreign keys and triggers.
 */
export function parallelRestore(jobsOf: (cx: Context, settings: ConnectorSettings) => number): RestoreFormat {
  return {
    ...archiveRestore,
    open: openParallel,
    refuse(request, settings) {
      refuseContradictions(request, settings)
      if (request.dataOnly !== true) return
      throw new HoldfastError(
        'usage.not-supported',
        'pg-parallel does not restore rows alone: that drops foreign keys for a while, which must not stay so where it fails, and several connections are not one transaction',
        { hint: 'restore into another database and copy the rows from there, or use pg-dump-custom' },
      )
    },
    feed: (cx, settings, request, run) => feedParallel(cx, settings, request, run, jobsOf(cx, settings)),
  }
}

async function openParallel(cx: Context, source: RestoreSource, request: RestoreRequest) {
  const archive = source.parts.find(({ name }) => name === archivePart)
  if (archive === undefined)
    throw new HoldfastError('integrity.missing-artifact', `the backup has no part ${archivePart}`)
  const pieces = await readPieces(source)
  const single: RestoreSource = {
    parts: [{ ...archive, role: 'dump' }],
    open: () => source.open(archive),
  }
  const opened = await openArchive(cx, single, request)
  const filled = [...opened.contents.filled, ...pieces.map(({ schema, table }) => ({ schema, name: table }))]
  return { ...opened, contents: { ...opened.contents, filled } }
}

async function feedParallel(
  cx: Context,
  settings: ConnectorSettings,
  request: RestoreRequest,
  run: FeedRun,
  jobs: number,
): Promise<readonly string[]> {
  const pieces = request.schemaOnly === true ? [] : wantedPieces(await readPieces(run.source), run)
  const said = [...(await feedArchive(cx, settings, request, run, [withoutLater]))]
  try {
    const later = laterRuns(run)
    const only = (wanted: (entry: ArchiveEntry) => boolean) =>
      feedArchive(cx, settings, request, later(), [
        (entry) => (wanted(entry) || archiveSettings.includes(entry.kind) ? {} : nothing),
      ])
    const indexes = indexesOf(run.head, pieces)
    await doAll(
      cx,
      jobs,
      work(cx, run, pieces, indexes, async (id) => {
        said.push(...(await only(({ dumpId }) => dumpId === id)))
      }),
    )
    const done = new Set([...indexes.values()].flat())
    said.push(...(await only((entry) => isLater(entry) && !done.has(entry.dumpId))))
  } catch (thrown) {
    // Elsewhere the database is one that was made for this, and goes.
    if (!run.oneTransaction) throw thrown
    const { message, details, code } = asHoldfastError(thrown)
    throw new HoldfastError(
      'restore.incomplete',
      `${placeOf(run.connection)} was left half restored (pg-parallel restores by several connections, which are not one transaction): ${message}`,
      { cause: thrown, details: { ...details, code } },
    )
  }
  return said
}

/** Settings of a session that restores: as pg_restore has them. */
const sessionSettings = `SELECT pg_catalog.set_config('search_path', '', false); SET statement_timeout = 0; SET lock_timeout = 0;
  SET idle_in_transaction_session_timeout = 0; SET row_security = off; SET xmloption = content`

/** Pieces first; with the last piece of a table its indexes become work, and come before other tables' pieces. */
function work(
  cx: Context,
  { connection, source }: FeedRun,
  pieces: readonly StoredPiece[],
  indexes: ReadonlyMap<string, readonly number[]>,
  build: (dumpId: number) => Promise<void>,
) {
  const left = new Map<string, number>()
  for (const piece of pieces) left.set(tableOf(piece), (left.get(tableOf(piece)) ?? 0) + 1)
  return {
    tasks: pieces,
    /** One for each connection. */
    async worker(signal: AbortSignal) {
      const session = await connectForCopy({ ...cx, signal }, connection)
      const prepared = session.rows(sessionSettings)
      return {
        async take(task: StoredPiece | number): Promise<readonly (StoredPiece | number)[]> {
          if (typeof task === 'number') {
            await build(task)
            return []
          }
          await prepared
          await session.copyInFrom(task.copy, await source.open(task.part), task.part.plainBytes)
          const table = tableOf(task)
          const rest = (left.get(table) ?? 0) - 1
          left.set(table, rest)
          return rest === 0 ? (indexes.get(table) ?? []) : []
        },
        close: () => session.close(),
      }
    },
  }
}

function tableOf({ schema, table }: Pick<StoredPiece, 'schema' | 'table'>): string {
  return `${schema}\0${table}`
}

/** Of the tables that are restored, which may be a part of those in the dump. */
function wantedPieces(pieces: readonly StoredPiece[], { contents: { relations = [] } }: FeedRun) {
  const wanted = new Set(relations.map(({ schema, name }) => tableOf({ schema, table: name })))
  return pieces.filter((piece) => wanted.has(tableOf(piece)))
}

/** What goes with other entries, and must not come before they do. */
const companions = ['ACL', 'DEFAULT ACL', 'COMMENT', 'SECURITY LABEL']

function isLater({ kind, section }: ArchiveEntry): boolean {
  return section === 'post-data' || companions.includes(kind)
}

const nothing = { definition: '', drop: '', data: false } as const

/** What comes later is dropped with the rest, in the right order: pg_restore takes a comment for its definition. */
const withoutLater: EditEntry = (entry) => (isLater(entry) ? { definition: '-- later\n', owner: '' } : {})

/** The archive once more, without its data, which have been restored, and without dropping anything. */
function laterRuns(run: FeedRun): () => FeedRun {
  const reader = new ArchiveHeadReader(
    () => undefined,
    () => undefined,
  )
  const data = reader.push(run.head) ?? Buffer.alloc(0)
  const head = editedArchive(run.head.subarray(0, run.head.length - data.length), [() => ({ data: false })])
  return () => ({
    ...run,
    head,
    rest: Readable.from([], { objectMode: false }),
    oneTransaction: false,
    inherited: undefined,
  })
}

/** The keys and indexes of large tables, which take their time: dump ids by table. */
function indexesOf(head: Buffer, pieces: readonly StoredPiece[]): ReadonlyMap<string, readonly number[]> {
  const large = new Set(pieces.map(tableOf))
  const tables = new Map<number, string>()
  const indexes = new Map<string, number[]>()
  const reader = new ArchiveHeadReader(
    () => undefined,
    ({ dumpId, kind, schema = '', name, section, needs }) => {
      const own = tableOf({ schema, table: name })
      if (kind === 'TABLE' && large.has(own)) tables.set(dumpId, own)
      if (section !== 'post-data' || (kind !== 'INDEX' && kind !== 'CONSTRAINT')) return
      const table = needs.map((id) => tables.get(id)).find((found) => found !== undefined)
      if (table !== undefined) indexes.set(table, [...(indexes.get(table) ?? []), dumpId])
    },
  )
  reader.push(head)
  return indexes
}
