import { Readable } from 'node:stream'
import { tableText } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { fileBytes, streamHead, type DumpedSource } from '../portable/dump-stream.js'
import type { PortableTable } from '../portable/portable-manifest.js'
import { ChunkPool } from '../streams/chunk-pool.js'
import { characterBytes } from '../streams/text-chunks.js'
import { dumpDestination, type DumpDestination } from './dump-destination.js'
import { openLiveSource } from './live-source.js'
import type { DumpReport, DumpedTable } from './portable-reports.js'
import type { DumpRequestOptions } from './portable-requests.js'
import { RowProgress } from './row-progress.js'
import { oneDatabase } from './select-databases.js'
import { contextOf, notice, type Workspace } from './workspace.js'

export const defaultFolder = 'datadir'

/** A compressor takes 1 MiB at a time, without a copy where it comes so. 2 MiB would be 12 MB more memory, for a percent or none. */
export const compressedAtOnce = 1024 * 1024 + characterBytes
/** Of a file that is not compressed. */
const writtenAtOnce = 512 * 1024

/**
 * Writes tables as files that can be read, edited and loaded into any engine, out of one snapshot.
 * @throws usage.*, database.*, storage.* : then no table of an earlier dump was changed
 */
export async function dump(workspace: Workspace, request: DumpRequestOptions): Promise<DumpReport> {
  const cx = contextOf(workspace, request.signal)
  const started = workspace.env.clock.now().getTime()
  const database = oneDatabase(workspace, request.database)
  const source = await openLiveSource(cx, workspace, database, request)
  try {
    const destination = await dumpDestination(
      cx,
      workspace,
      request.output ?? defaultFolder,
      request.compress,
    )
    const tables = await written(cx, source, destination, database.alias)
    const { warnings } = source.manifest
    for (const warning of warnings) notice(workspace, 'warning', warning)
    return {
      database: database.alias,
      ...(destination.path === undefined ? {} : { output: destination.path }),
      tables,
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      bytes: destination.bytes(),
      seconds: (workspace.env.clock.now().getTime() - started) / 1000,
      warnings,
    }
  } finally {
    await source.close()
  }
}

async function written(
  cx: Context,
  source: DumpedSource,
  destination: DumpDestination,
  subject: string,
): Promise<readonly DumpedTable[]> {
  const done: PortableTable[] = []
  const progress = new RowProgress(cx, 'dump', subject, source.headers)
  try {
    await destination.begin(streamHead(source))
    const pool = new ChunkPool(destination.compresses ? compressedAtOnce : writtenAtOnce)
    for await (const table of source.tables(source.headers)) {
      const file = destination.fileOf(tableText(table.header.table))
      const bytes = fileBytes(table, pool, {
        rows: (count, length) => progress.add(count, length),
        ended: (name, { rows, sum64 }) => done.push({ table: name, file, rows, sum64 }),
      })
      await destination.table(file, Readable.from(bytes, { objectMode: false }))
    }
    await destination.finish({ ...source.manifest, tables: done })
  } catch (error) {
    await destination.abandon()
    throw error
  }
  progress.done()
  return done.map(({ table, rows, sum64 }) => ({ table, rows, sum64 }))
}
