import type { DatabaseSettings } from '../config/settings.js'
import type { RowEngine, RowQuery, RowSource } from '../engine/row-source.js'
import { tableText, type DumpStamp, type TableHeader } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { loadOrder } from '../portable/load-order.js'
import type { PortableManifest } from '../portable/portable-manifest.js'
import type { PreparedTransform } from '../portable/row-transform.js'
import { transformedRows } from '../portable/transformed-rows.js'
import type { SourceTable, TableSource } from '../portable/table-source.js'
import { migrationsOf } from './applied-migrations.js'
import type { SourceChanges, TableChoice } from './portable-requests.js'
import { groupsOf, modelsOf, transformsOf } from './portable-settings.js'
import { chooseTables } from './table-choice.js'
import type { Workspace } from './workspace.js'

/** @throws usage.not-supported where the engine has no portable rows */
export function rowsOf({ engine }: DatabaseSettings): RowEngine {
  if (engine.rows !== undefined) return engine.rows
  throw new HoldfastError('usage.not-supported', `portable dumps of ${engine.name} are not supported`)
}

/** The chosen tables of a database, out of one snapshot, in the order to load them. */
export async function openLiveSource(
  cx: Context,
  workspace: Workspace,
  database: DatabaseSettings,
  choice: TableChoice & SourceChanges,
): Promise<TableSource & { readonly manifest: PortableManifest }> {
  const transforms = await transformsOf(workspace, choice)
  const models = await modelsOf(workspace)
  // While the rows are being opened. What fails here is told when they are open.
  const migrations = migrationsOf(cx, database)
  const rows = await rowsOf(database)
    .openSource(cx, database.connection)
    .finally(() => migrations.catch(() => undefined))
  try {
    const all = await rows.tables()
    const chosen = loadOrder(chooseTables(all, choice, await groupsOf(workspace, models, all)))
    if (chosen.length === 0)
      throw new HoldfastError('usage.pattern-unmatched', `${database.alias} has no table to dump`)
    const prepared: PreparedTransform[] = []
    for (const transform of transforms) prepared.push(await transform.prepare(cx, rows, chosen))
    await rows.hold?.(chosen)
    const wheres = conditions(choice.where ?? {}, chosen)
    const stamps = new Set<DumpStamp>(transforms.map(({ stamp }) => stamp))
    if (wheres.size > 0) stamps.add('subset')
    const headers = stamps.size === 0 ? chosen : chosen.map((each) => ({ ...each, stamps: [...stamps] }))
    return {
      name: database.alias,
      headers,
      manifest: {
        holdfast: 1,
        kind: 'portable',
        created: workspace.env.clock.now().toISOString(),
        engine: database.engine.name,
        server: workspace.settings.serverName,
        database: database.alias,
        migrations: await migrations,
        tables: [],
        ...(stamps.has('masked') ? { masked: true as const } : {}),
        ...(stamps.has('subset') ? { subset: true as const } : {}),
        warnings: rows.warnings,
      },
      tables: (wanted) => tablesOf(rows, wanted, wheres, prepared),
      close: () => rows.close(),
    }
  } catch (error) {
    await rows.close()
    throw error
  }
}

async function* tablesOf(
  source: RowSource,
  wanted: readonly TableHeader[],
  wheres: ReadonlyMap<string, string>,
  transforms: readonly PreparedTransform[],
): AsyncGenerator<SourceTable> {
  for (const header of wanted) {
    const where = wheres.get(tableText(header.table))
    const query: RowQuery = where === undefined ? {} : { where }
    yield await Promise.resolve({
      header,
      rows: transformedRows(source, header, query, transforms),
      place: (index: number) => `${tableText(header.table)}, row ${index + 1}`,
    })
  }
}

/** By `tableText`. @throws usage.invalid for a table that is not dumped */
function conditions(
  where: Readonly<Record<string, string>>,
  headers: readonly TableHeader[],
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(where).map(([name, condition]) => {
      const header = headers.find(({ table }) => tableText(table) === name || table.name === name)
      if (header === undefined)
        throw new HoldfastError('usage.invalid', `where names ${name}, which is no table of this dump`)
      return [tableText(header.table), condition]
    }),
  )
}
