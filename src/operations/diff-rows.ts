import type { DatabaseSettings } from '../config/settings.js'
import { tableText } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { openDump, openDumpOf, type PortableDump, type ReadableRows } from './diff-dump.js'
import { restoreCopy } from './drill-copy.js'
import { databaseOn, throwawayServer } from './drill-server.js'
import { rowsOf } from './live-source.js'
import type { TableRows } from './diff-reports.js'
import type { Comparison, StoredBackup } from './reports.js'
import { compareRowsByKey } from './row-differences.js'
import type { Workspace } from './workspace.js'

/** A backup, whose portable dump is read or which is restored into a throwaway server, a portable dump, or a database as it is. */
export type RowSide = StoredBackup | PortableDump | DatabaseSettings

/**
 * Which rows differ. With digests, only in tables that they tell to differ; without them, in all that both sides have.
 * @throws usage.not-supported where the engine has no rows to compare; as drills and dumps
 */
export async function differingRows(
  cx: Context,
  workspace: Workspace,
  sides: { readonly from: RowSide; readonly to: RowSide },
  { level, differences }: Comparison,
  { limit, into }: { readonly limit: number; readonly into: string | undefined },
): Promise<readonly TableRows[]> {
  const named = new Set(
    differences.flatMap(({ object, what }) => (what === 'rows' || what === 'content' ? [object] : [])),
  )
  if (level === 'content' && named.size === 0) return []
  const from = await openRows(cx, workspace, sides.from, into)
  try {
    const to = await openRows(cx, workspace, sides.to, into)
    try {
      // Without digests any table may differ.
      const wanted = (table: string) => level !== 'content' || named.has(`table ${table}`)
      return await compareTables(from, to, wanted, limit)
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

async function compareTables(
  from: ReadableRows,
  to: ReadableRows,
  wanted: (table: string) => boolean,
  limit: number,
): Promise<readonly TableRows[]> {
  const there = new Map((await to.tables()).map((header) => [tableText(header.table), header]))
  const found: TableRows[] = []
  for (const header of await from.tables()) {
    const table = tableText(header.table)
    const other = there.get(table)
    if (other === undefined || !wanted(table)) continue
    const rows = await compareRowsByKey(
      table,
      { header, rows: () => from.rows(header) },
      { header: other, rows: () => to.rows(other) },
      limit,
    )
    if (rows.rows.length > 0 || rows.unnamed !== undefined) found.push(rows)
  }
  return found
}

async function openRows(
  cx: Context,
  workspace: Workspace,
  side: RowSide,
  into: string | undefined,
): Promise<ReadableRows> {
  if ('isFolder' in side) return openDump(cx, workspace, side)
  if (!('manifest' in side)) return rowsOf(side).openSource(cx, side.connection)
  const dump = into === undefined ? await openDumpOf(cx, workspace, side) : undefined
  if (dump !== undefined) return dump
  const place =
    into === undefined
      ? await throwawayServer(cx, workspace, side.manifest, false)
      : await databaseOn(cx, workspace, side.manifest, into)
  try {
    const rows = rowsOf(place.target)
    await restoreCopy(cx, workspace, side, place)
    const source = await rows.openSource(cx, place.target.connection)
    return {
      tables: () => source.tables(),
      rows: (header) => source.rows(header),
      close: () => source.close().finally(() => place.dispose()),
    }
  } catch (error) {
    await place.dispose()
    throw error
  }
}
