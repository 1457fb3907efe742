import type { RowEngine } from '../../engine/row-source.js'

/** Portable rows of MongoDB: a document is a row. Loaded when used. */
export const mongodbRows: RowEngine = {
  openSource: async (cx, settings) => (await import('./rows-source.js')).openSource(cx, settings),
  openSink: async (cx, settings, request) => (await import('./rows-sink.js')).openSink(cx, settings, request),
}
