import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { HoldfastError } from '../../errors.js'
import { partialFile } from '../remains.js'
import type { TarEntry } from '../tar/entry.js'
import { shownPath, unsafeEntry, type PathNames } from './entry-path.js'
import type { ExtractInput, Unpacked } from './protocol.js'
import type { SafeEntry } from './selected.js'
import { statsOf, TargetTree } from './target-tree.js'

const slash = Buffer.from('/')
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
/** Only the superuser can give files away; nobody else tries. */
const givesOwners = process.geteuid?.() === 0

/** A file that is being written, beside its place. */
interface OpenFile {
  readonly handle: number
  readonly entry: TarEntry
  readonly partial: Buffer
  readonly place: Buffer
  end: number
}

/**
 * Puts entries into a folder, one after the other. A file or link is made beside its place and renamed, so that nobody ever sees half
 * of it, and so that what stood there is replaced and never followed.
 */
export class Extraction {
  readonly #input: ExtractInput
  readonly #tree: TargetTree
  /** For the other names of files: while one folder is written to, another is looked at. */
  readonly #linkTree: TargetTree
  readonly #partial: Buffer
  /** Their modes and times come last: a folder that may not be written to is filled first. */
  readonly #folders: { readonly names: PathNames; readonly entry: TarEntry }[] = []
  readonly #counts = { files: 0, folders: 0, links: 0, bytes: 0, skipped: 0 }
  readonly #made = new Set<string>()
  #file: OpenFile | undefined

  constructor(input: ExtractInput) {
    this.#input = input
    this.#tree = new TargetTree(input.target)
    this.#linkTree = new TargetTree(input.target)
    this.#partial = Buffer.from(partialFile(input.token))
  }

  /** @param safe undefined for an entry that was not asked for */
  begin(safe: SafeEntry | undefined): void {
    if (safe === undefined) return
    if (safe.entry.type === 'folder') this.#folder(safe)
    else this.#fileOrLink(safe)
  }

  write(bytes: Buffer, at: number): void {
    const file = this.#file
    if (file === undefined) return
    for (let done = 0; done < bytes.length;)
      done += writeSync(file.handle, bytes, done, bytes.length - done, at + done)
    file.end = Math.max(file.end, at + bytes.length)
  }

  finish(): void {
    const file = this.#file
    if (file === undefined) return
    const { handle, entry, partial, place } = file
    // A hole at the end.
    if (file.end < entry.size) ftruncateSync(handle, entry.size)
    give(handle, entry)
    this.#file = undefined
    closeSync(handle)
    renameSync(partial, place)
    this.#counts.files += 1
    this.#counts.bytes += entry.size
  }

  complete(): Unpacked {
    for (const { names, entry } of this.#folders.reverse()) {
      const path = this.#tree.folder(names)
      if (path === undefined) continue
      const handle = this.#tree.handle ?? openSync(path, 'r')
      give(handle, entry)
      if (this.#tree.handle === undefined) closeSync(handle)
    }
    this.#close()
    return this.#counts
  }

  /** Removes what is half written. */
  giveUp(): void {
    if (this.#file !== undefined) {
      closeSync(this.#file.handle)
      rmSync(this.#file.partial, { force: true })
    }
    this.#close()
  }

  #close(): void {
    this.#tree.close()
    this.#linkTree.close()
  }

  #folder({ entry, names }: SafeEntry): void {
    const key = keyOf(names)
    this.#tree.folder(names, (made) => this.#made.add(keyOf(made)))
    this.#counts.folders += 1
    const isOurs = names.length === 0 ? this.#input.fresh : this.#made.has(key)
    if (isOurs || (this.#input.onConflict === 'replace' && names.length > 0))
      this.#folders.push({ names, entry })
  }

  #fileOrLink({ entry, names, linked }: SafeEntry): void {
    const folder = this.#tree.folder(names.slice(0, -1), (made) => this.#made.add(keyOf(made)))
    const place = Buffer.concat([folder, slash, names.at(-1) as Buffer])
    const partial = Buffer.concat([folder, slash, this.#partial])
    if (!this.#input.fresh && this.#isLeft(place, entry)) return
    if (entry.type === 'file') {
      const handle = openSync(partial, newFile, 0o600)
      this.#file = { handle, entry, partial, place, end: 0 }
      return
    }
    if (entry.type === 'symlink') {
      symlinkSync(entry.link ?? Buffer.alloc(0), partial)
      if (givesOwners) lchownSync(partial, entry.uid, entry.gid)
      const time = timeOf(entry)
      lutimesSync(partial, time, time)
    } else linkSync(this.#linkedFile(entry, linked ?? []), partial)
    renameSync(partial, place)
    // Between two names of the same file a rename does nothing.
    rmSync(partial, { force: true })
    this.#counts.links += 1
  }

  /** Whether what stands in an entry's place stays. */
  #isLeft(place: Buffer, entry: TarEntry): boolean {
    if (this.#input.onConflict === 'replace' || statsOf(place) === undefined) return false
    if (this.#input.onConflict === 'skip') {
      this.#counts.skipped += 1
      return true
    }
    throw new HoldfastError('refused.not-empty', `${shownPath(entry.path)} is in the target already`)
  }

  #linkedFile(entry: TarEntry, linked: PathNames): Buffer {
    const folder = this.#linkTree.folder(linked.slice(0, -1))
    const file =
      folder === undefined ? undefined : Buffer.concat([folder, slash, linked.at(-1) ?? Buffer.alloc(0)])
    if (file !== undefined && statsOf(file)?.isFile() === true) return file
    throw unsafeEntry(
      entry.path,
      `file that it is another name of, ${entry.link?.toString() ?? ''}, is not there`,
    )
  }
}

/** Owner, mode and time. A program that runs as its owner is not made of an upload: files lose set-user-id and set-group-id. */
function give(handle: number, { type, mode, uid, gid, ...entry }: TarEntry): void {
  if (givesOwners) fchownSync(handle, uid, gid)
  fchmodSync(handle, mode & (type === 'folder' ? 0o3777 : 0o1777))
  const time = timeOf(entry)
  futimesSync(handle, time, time)
}

/** What Node can set: microseconds; before 1970, milliseconds. */
function timeOf({ modifiedNs }: Pick<TarEntry, 'modifiedNs'>): number | Date {
  if (modifiedNs < 0n) return new Date(Number(modifiedNs / 1_000_000n))
  // Half a microsecond more, since what is cut off from a binary fraction may be the last digit.
  return (Number(modifiedNs / 1000n) + 0.5) / 1e6
}

function keyOf(names: PathNames): string {
  return names.map((name) => `/${name.toString('latin1')}`).join('')
}
