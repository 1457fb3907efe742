import { blockBytes } from './entry.js'
import { isHeader, isZeros } from './decode.js'
import { TarStructure } from './structure.js'

/** How a whole tar archive is told: every header has its checksum, every file its bytes, and two blocks of zeros are the end. */
export const tarFormat = {
  name: 'tar',
  recognises(head: Uint8Array): boolean {
    // An archive of nothing is two blocks of zeros.
    return isHeader(head.subarray(0, blockBytes)) || (head.length >= 2 * blockBytes && isZeros(head))
  },
  checker: () => new TarStructure(),
}
