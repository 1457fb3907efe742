import type { RowEngine } from '../../engine/row-source.js'

/** Portable rows of SQLite, read and written by the SQLite program. Loaded when used. */
export const sqliteRows: RowEngine = {
  openSource: async (cx, settings) => (await import('./rows-source.js')).openSource(cx, settings),
  openSink: async (cx, settings, request) => (await import('./rows-sink.js')).openSink(cx, settings, request),
}
