import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { portablePart } from '../catalog/parts.js'
import type { DatabaseFingerprint, TableFingerprint } from '../engine/fingerprinter.js'
import type { RowSource } from '../engine/row-source.js'
import { tableText, type TableHeader } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import type { PortableTable } from '../portable/portable-manifest.js'
import type { TableSource } from '../portable/table-source.js'
import { openFileSource } from './file-source.js'
import { openPortablePart } from './portable-backup.js'
import type { StoredBackup } from './reports.js'
import type { Workspace } from './workspace.js'

/** A portable dump on this machine. */
export interface PortableDump {
  readonly path: string
  /** Its tables can be read one by one, in any order. Otherwise it is one stream, which is read from its beginning for each. */
  readonly isFolder: boolean
  readonly database: string
  readonly created: string
  readonly fingerprint: DatabaseFingerprint
  /** What its rows are not: a sentence each. */
  readonly stamps: readonly string[]
}

/** @returns absent where there is no such file or folder. @throws integrity.* where it is something else than a portable dump */
export async function findDump(
  cx: Context,
  workspace: Workspace,
  name: string,
): Promise<PortableDump | undefined> {
  const path = resolve(cx.env.workingDirectory, name)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return undefined
  const source = await openFileSource(cx, workspace, name, false)
  try {
    const { manifest, headers } = source
    const stamps = [
      ...(manifest?.masked === true ? [`values of ${name} are masked`] : []),
      ...(manifest?.subset === true ? [`${name} holds a part of the rows`] : []),
    ]
    return {
      path,
      isFolder: found.isDirectory(),
      database: manifest?.database ?? name,
      created: manifest?.created ?? found.mtime.toISOString(),
      fingerprint: fingerprintOf(headers, manifest?.tables ?? []),
      stamps,
    }
  } finally {
    await source.close()
  }
}

/** The sums of a dump are the same whichever engine the rows are of; of a dump in one stream they stand behind the rows. */
function fingerprintOf(
  headers: readonly TableHeader[],
  known: readonly PortableTable[],
): DatabaseFingerprint {
  const sums = new Map(known.map((table) => [table.table, table]))
  const tables = headers.map(({ table }): TableFingerprint => {
    const found = sums.get(tableText(table))
    return found === undefined
      ? { ...table, unproven: 'a dump in one file has its row counts behind the rows' }
      : { ...table, rows: found.rows, digest: found.sum64 }
  })
  const level = known.length === 0 ? 'counts' : 'content'
  const fingerprint = { level, method: 'portable-1', tables, counters: [], definitions: {} } as const
  return { product: 'a portable dump', version: '1', fingerprint }
}

/** What a comparison of rows needs of a side. */
export type ReadableRows = Pick<RowSource, 'tables' | 'rows' | 'close'>

/** @throws integrity.*, as its rows are read */
export async function openDump(
  cx: Context,
  workspace: Workspace,
  { path, isFolder }: PortableDump,
): Promise<ReadableRows> {
  const open = () => openFileSource(cx, workspace, path, false)
  const source = await open()
  return {
    tables: () => Promise.resolve(source.headers),
    rows: (header) => rowsOf(isFolder ? () => Promise.resolve(source) : open, header),
    close: () => source.close(),
  }
}

/**
 * The portable dump that a backup holds beside the native one.
 * @returns absent where it holds none, or one whose rows are not the database's: masked, or a part
 */
export async function openDumpOf(
  cx: Context,
  workspace: Workspace,
  backup: StoredBackup,
): Promise<ReadableRows | undefined> {
  if (portablePart(backup.manifest) === undefined) return undefined
  const open = () => openPortablePart(cx, workspace, backup)
  const source = await open()
  await source.close()
  const { headers, manifest } = source
  if (manifest?.masked === true || manifest?.subset === true) return undefined
  return {
    tables: () => Promise.resolve(headers),
    rows: (header) => rowsOf(open, header),
    close: () => Promise.resolve(),
  }
}

async function* rowsOf(open: () => Promise<TableSource>, header: TableHeader) {
  const source = await open()
  try {
    for await (const table of source.tables([header])) yield* table.rows
  } finally {
    await source.close()
  }
}
