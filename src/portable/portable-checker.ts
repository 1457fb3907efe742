import type { FormatChecker } from '../engine/connector.js'
import { tableDecoder } from './table-decoder.js'

/** Rows of so many bytes are taken apart at a time: those of a large chunk would fill the memory, and outlive the collector's first looks. */
export const piecesAtOnce = 64 * 1024

/** Reads a whole portable dump: every row is one, and as many and the same ones as the footers say. */
export function portableChecker(name: string): FormatChecker {
  const decoder = tableDecoder({ name, acceptEdits: false })
  return {
    push(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      for (let at = 0; at < bytes.length; at += piecesAtOnce)
        decoder.push(bytes.subarray(at, at + piecesAtOnce))
    },
    end: () => decoder.end(),
  }
}
