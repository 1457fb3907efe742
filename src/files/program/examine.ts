import { readdirSync } from 'node:fs'
import { HoldfastError } from '../../errors.js'
import { TarScanner } from '../tar/scanner.js'
import { leadsOut, shownPath, unsafeEntry, type PathNames } from './entry-path.js'
import type { Examined, ExtractInput } from './protocol.js'
import { selection, type SafeEntry } from './selected.js'
import { standardInput } from './stdio.js'
import { statsOf, TargetTree } from './target-tree.js'

const mostNames = 10
const slash = Buffer.from('/')

/**
 * Reads an archive to its end and changes nothing: whether each entry can be restored safely, and what of the target it would meet.
 * @throws integrity.*, refused.not-empty
 */
export function examine(input: ExtractInput): Examined {
  const select = selection(input)
  const scanner = new TarScanner()
  const examiner = new Examiner(input)
  for (const chunk of standardInput()) {
    for (const event of scanner.push(chunk)) {
      const safe = event.kind === 'entry' ? select(event.entry) : undefined
      if (safe !== undefined) examiner.add(safe)
    }
  }
  scanner.end()
  return examiner.result()
}

class Examiner {
  readonly #input: ExtractInput
  readonly #tree: TargetTree | undefined
  /** The archive's own symbolic links: nothing may be reached through them. */
  readonly #links = new Set<string>()
  readonly #conflictNames: string[] = []
  readonly #linkNames: string[] = []
  #entries = 0
  #bytes = 0
  #conflicts = 0
  #linksOut = 0
  readonly #present: number

  constructor(input: ExtractInput) {
    this.#input = input
    const isThere = statsOf(Buffer.from(input.target)) !== undefined
    this.#tree = isThere && !input.fresh ? new TargetTree(input.target) : undefined
    this.#present = isThere ? countFiles(Buffer.from(input.target)) : 0
  }

  result(): Examined {
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      present: this.#present,
      conflicts: this.#conflicts,
      conflictNames: this.#conflictNames,
      linksOut: this.#linksOut,
      linkNames: this.#linkNames,
    }
  }

  add({ entry, names }: SafeEntry): void {
    this.#entries += 1
    this.#bytes += entry.size
    this.#refuseThroughLinks(entry.path, names)
    if (entry.type === 'symlink') this.#addLink(entry.path, entry.link ?? Buffer.alloc(0), names)
    if (entry.type === 'folder') this.#tree?.folder(names)
    else this.#compare(names, shownPath(entry.path))
  }

  #refuseThroughLinks(path: Buffer, names: PathNames): void {
    if (this.#links.size === 0) return
    let prefix = ''
    for (const name of names.slice(0, -1)) {
      prefix += `/${name.toString('latin1')}`
      if (this.#links.has(prefix)) throw unsafeEntry(path, 'entry lies behind a symbolic link of the archive')
    }
  }

  #addLink(path: Buffer, link: Buffer, names: PathNames): void {
    this.#links.add(names.map((name) => `/${name.toString('latin1')}`).join(''))
    if (!leadsOut(link, names.length - 1)) return
    if (!this.#input.linksOut)
      throw unsafeEntry(path, `entry is a link that leads out, to ${link.toString()}`)
    this.#linksOut += 1
    if (this.#linkNames.length < mostNames) this.#linkNames.push(`${shownPath(path)} -> ${link.toString()}`)
  }

  #compare(names: PathNames, shown: string): void {
    const folder = this.#tree?.folder(names.slice(0, -1))
    if (folder === undefined) return
    const there = statsOf(Buffer.concat([folder, slash, names.at(-1) as Buffer]))
    if (there === undefined) return
    if (there.isDirectory() && this.#input.onConflict !== 'skip') {
      throw new HoldfastError(
        'refused.not-empty',
        `${shown} is a folder in the target, and a file or link in the backup`,
        {
          hint: 'restore with --replace, or elsewhere with --to',
        },
      )
    }
    this.#conflicts += 1
    if (this.#conflictNames.length < mostNames) this.#conflictNames.push(shown)
  }
}

/** Everything but folders. */
function countFiles(folder: Buffer): number {
  let files = 0
  for (const name of readdirSync(folder, { encoding: 'buffer' })) {
    const path = Buffer.concat([folder, slash, name])
    files += statsOf(path)?.isDirectory() === true ? countFiles(path) : 1
  }
  return files
}
