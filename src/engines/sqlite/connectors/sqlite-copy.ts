import { read } from '../tools.js'
import { checkedPart, fileConnector } from './file-connector.js'
import { proofFile } from './proof-file.js'

/**
 * The bytes of the file itself, under SQLite's own locks and without a temporary file. With a WAL, all of it is written back
 * first, for which there must be a moment without older readers; without one, writers wait until the copy has been read.
 */
export const sqliteCopy = fileConnector({
  name: 'sqlite-copy',
  async part(cx, { name: path }, { fingerprint }, notes) {
    const proof = await proofFile(cx, fingerprint)
    notes.rows.apart = 'sqlite-copy reads the file under a lock of its own'
    const { bytes } = read(cx, 'copy', { path, ...proof.input })
    return {
      part: checkedPart(cx, bytes, { path, private: false }, notes.warnings),
      ended: async () => {
        notes.fingerprint = await proof.read()
      },
      remove: () => proof.remove(),
    }
  },
})
