import { pathTest } from '../globs.js'
import type { TarEntry } from '../tar/entry.js'
import { entryNames, shownPath, unsafeEntry, type PathNames } from './entry-path.js'
import type { ExtractInput } from './protocol.js'

/** An entry that may be restored: its names lead nowhere else. */
export interface SafeEntry {
  readonly entry: TarEntry
  readonly names: PathNames
  /** Of a hard link, the names of the entry that it is another name of. */
  readonly linked?: PathNames
}

/**
 * Picks the entries that were asked for, and refuses those that are no files.
 * @throws integrity.format
 */
export function selection({ only }: Pick<ExtractInput, 'only'>): (entry: TarEntry) => SafeEntry | undefined {
  const wanted = only.length === 0 ? () => true : pathTest(only)
  return (entry) => {
    const names = entryNames(entry.path)
    if (!wanted(shownPath(entry.path))) return undefined
    const { type, link = Buffer.alloc(0) } = entry
    if (type === 'device' || type === 'fifo' || type === 'other')
      throw unsafeEntry(entry.path, `entry is ${kinds[type]}`)
    if (names.length === 0 && type !== 'folder') throw unsafeEntry(entry.path, 'entry has no name')
    return type === 'hardlink'
      ? { entry, names, linked: entryNames(link, 'file that it links to') }
      : { entry, names }
  }
}

const kinds = { device: 'a device', fifo: 'a named pipe', other: 'of a kind that is not known' }
