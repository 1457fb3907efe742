import type { TableHeader } from '../../engine/table-header.js'
import type { Context } from '../../env/context.js'
import type { TableSource } from '../table-source.js'

/** Makes a source for a load of what another tool has written. */
export type Converter = (cx: Context, path: string, targets: readonly TableHeader[]) => Promise<TableSource>

/** By the word that `--from` takes. Loaded when used. */
export const converters: Readonly<Record<string, Converter>> = {
  /** A folder of the data files of the Django script dumpdb. */
  dumpdb: async (cx, path) => (await import('./dumpdb.js')).openDumpdb(cx, path),
  /** A fixture of Django's dumpdata, as JSON or lines of JSON. */
  django: async (cx, path, targets) => (await import('./django.js')).openDjango(cx, path, targets),
}
