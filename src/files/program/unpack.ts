import { HoldfastError } from '../../errors.js'
import { TarScanner } from '../tar/scanner.js'
import { Extraction } from './extraction.js'
import type { ExtractInput, Unpacked } from './protocol.js'
import { selection } from './selected.js'
import { standardInput } from './stdio.js'

const systemCodes: Readonly<Record<string, 'storage.full' | 'storage.denied'>> = {
  ENOSPC: 'storage.full',
  EDQUOT: 'storage.full',
  EACCES: 'storage.denied',
  EPERM: 'storage.denied',
  EROFS: 'storage.denied',
}

/**
 * Restores an archive into a folder. What comes after a failure is not restored; what came before stays.
 * @throws integrity.*, refused.not-empty, storage.*
 */
export function unpack(input: ExtractInput): Unpacked {
  const select = selection(input)
  const scanner = new TarScanner()
  const extraction = new Extraction(input)
  let current = ''
  try {
    for (const chunk of standardInput()) {
      for (const event of scanner.push(chunk)) {
        if (event.kind === 'entry') {
          current = event.entry.path.toString()
          extraction.begin(select(event.entry))
        } else if (event.kind === 'data') extraction.write(event.bytes, event.at)
        else extraction.finish()
      }
    }
    scanner.end()
    return extraction.complete()
  } catch (error) {
    extraction.giveUp()
    const { code = '', message } = error as NodeJS.ErrnoException
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError(
      systemCodes[code] ?? 'storage.failed',
      `${current} cannot be restored: ${message}`,
    )
  }
}
