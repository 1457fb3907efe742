import type { RowEngine } from '../../engine/row-source.js'

/** Portable rows of MySQL and MariaDB. Loaded when used. */
export const mysqlRows: RowEngine = {
  openSource: async (cx, settings) => (await import('./rows-source.js')).openSource(cx, settings),
  openSink: async (cx, settings, request) => (await import('./rows-sink.js')).openSink(cx, settings, request),
}
