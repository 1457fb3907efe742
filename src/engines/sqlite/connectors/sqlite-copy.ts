import { read } from '../tools.js'
import { checkedPart, fileConnector } from './file-connector.js'

/**
 * The bytes of the file itself, under SQLite's own locks and without a temporary file. With a WAL, all of it is written back
 * first, for which there must be a moment without older readers; without one, writers wait until the copy has been read.
 */
export const sqliteCopy = fileConnector({
  name: 'sqlite-copy',
  part: (cx, path, warnings) =>
    Promise.resolve(checkedPart(cx, read(cx, 'copy', { path }).bytes, { path, private: false }, warnings)),
})
