import type { RowEngine } from '../../engine/row-source.js'

/** Portable rows of PostgreSQL: COPY in both directions. Loaded when used. */
export const postgresRows: RowEngine = {
  openSource: async (cx, settings) => (await import('./rows-source.js')).openSource(cx, settings),
  openSink: async (cx, settings, request) => (await import('./rows-sink.js')).openSink(cx, settings, request),
}
