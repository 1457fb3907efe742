import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  type BigIntStats,
  type Dirent,
} from 'node:fs'
import { readlinkSync } from 'node:fs'
import { HoldfastError } from '../../errors.js'
import { pathTest, type PathTest } from '../globs.js'
import { endOfArchive, type WrittenEntry } from '../tar/encode.js'
import { paddingOf } from '../tar/entry.js'
import { ArchiveOutput } from './archive-output.js'
import type { PackFacts, PackInput } from './protocol.js'
import { say, sayWarning } from './stdio.js'

/** The reader keeps some hundreds of lines; the rest is counted. */
const mostWarnings = 400

/**
 * A path as the characters of Latin-1, one for each of its bytes: a name may be any bytes, and a hundred thousand small buffers keep the
 * garbage collector busy.
 */
type BytePath = string

// A link in a file's place is not followed; a named pipe in it is not waited for. Windows has neither.
const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Writes a folder as a tar archive to stdout. What cannot be read, or changes meanwhile, is said and counted. */
export function pack(input: PackInput): void {
  const packer = new Packer(input)
  packer.run(input.source)
  say({ facts: packer.facts() })
}

/** A folder that holds something that was asked for, or may yet. */
interface OpenFolder {
  readonly path: BytePath
  readonly stats: BigIntStats
  readonly parent: OpenFolder | undefined
  written: boolean
}

class Packer {
  readonly #output = new ArchiveOutput()
  readonly #included: PathTest | undefined
  readonly #excluded: PathTest | undefined
  /** Of files with several names: device and number, and the first of the names. */
  readonly #linked = new Map<string, BytePath>()
  readonly #counts = { entries: 0, bytes: 0, changed: 0, unreadable: 0 }
  #warnings = 0

  constructor({ include, exclude }: PackInput) {
    this.#included = include.length === 0 ? undefined : pathTest(include)
    this.#excluded = exclude.length === 0 ? undefined : pathTest(exclude)
  }

  facts(): PackFacts {
    return this.#counts
  }

  /** @throws storage.not-found, storage.denied for the source itself */
  run(source: string): void {
    const root = Buffer.from(source).toString('latin1')
    let stats: BigIntStats
    let names: readonly ListedName[]
    try {
      // The source itself may be a link to the folder.
      stats = lstatSync(bytesOf(`${root}/`), { bigint: true })
      names = sortedNames(root)
    } catch (error) {
      throw sourceError(source, error)
    }
    const folder: OpenFolder = { path: '.', stats, parent: undefined, written: false }
    if (this.#included === undefined) this.#writeFolder(folder)
    this.#walk(root, folder, names)
    this.#output.write(endOfArchive)
    this.#output.flush()
    if (this.#warnings > mostWarnings)
      sayWarning(`… and ${this.#warnings - mostWarnings} more files like these`)
  }

  #walk(at: BytePath, folder: OpenFolder, names: readonly ListedName[]): void {
    for (const listed of names) {
      const path = folder.parent === undefined ? listed.name : `${folder.path}/${listed.name}`
      if (this.#excluded?.(shown(path)) === true) continue
      try {
        this.#pack(`${at}/${listed.name}`, path, listed, folder)
      } catch (error) {
        this.#amiss(path, error)
      }
    }
  }

  #enter(place: BytePath, folder: OpenFolder): void {
    const names = sortedNames(place)
    if (this.#included?.(shown(folder.path)) !== false) this.#writeFolder(folder)
    this.#walk(place, folder, names)
  }

  /** A folder is written before the first of what it holds. */
  #writeFolder(folder: OpenFolder): void {
    if (folder.written) return
    if (folder.parent !== undefined) this.#writeFolder(folder.parent)
    folder.written = true
    this.#write(entryOf('folder', folder.path, folder.stats))
  }

  #pack(place: BytePath, path: BytePath, listed: ListedName, folder: OpenFolder): void {
    // What a file is, is asked of the open one: a look less for each of them.
    if (listed.isFile()) {
      if (this.#included?.(shown(path)) !== false) this.#packFile(place, path, folder)
      return
    }
    const stats = lstatSync(bytesOf(place), { bigint: true })
    if (stats.isDirectory()) this.#enter(place, { path, stats, parent: folder, written: false })
    else if (this.#included?.(shown(path)) === false) return
    else if (stats.isFile()) this.#packFile(place, path, folder)
    else if (stats.isSymbolicLink()) {
      const link = readlinkSync(bytesOf(place), { encoding: 'buffer' })
      this.#writeFolder(folder)
      this.#write({ ...entryOf('symlink', path, stats), link })
    } else this.#warn(`${shown(path)} is a socket, pipe or device, and is left out`)
  }

  #packFile(place: BytePath, path: BytePath, folder: OpenFolder): void {
    const file = openSync(bytesOf(place), openFlags)
    try {
      const stats = fstatSync(file, { bigint: true })
      if (!stats.isFile()) this.#changed(path, 'was replaced while the folder was read')
      else if (!this.#packLink(path, stats, folder)) this.#packBytes(file, path, stats, folder)
    } finally {
      closeSync(file)
    }
  }

  /** Another name of a file that is in the archive already. */
  #packLink(path: BytePath, stats: BigIntStats, folder: OpenFolder): boolean {
    if (stats.nlink < 2n) return false
    const file = `${stats.dev}:${stats.ino}`
    const link = this.#linked.get(file)
    if (link === undefined) return false
    this.#writeFolder(folder)
    this.#write({ ...entryOf('hardlink', path, stats), link: bytesOf(link) })
    return true
  }

  #packBytes(file: number, path: BytePath, stats: BigIntStats, folder: OpenFolder): void {
    this.#writeFolder(folder)
    const entry = entryOf('file', path, stats)
    this.#write(entry)
    this.#counts.bytes += entry.size
    if (stats.nlink > 1n) this.#linked.set(`${stats.dev}:${stats.ino}`, path)
    try {
      const whole = this.#copy(file, entry.size)
      if (!whole || hasChanged(stats, fstatSync(file, { bigint: true })))
        this.#changed(path, 'changed while it was read')
    } catch (error) {
      this.#amiss(path, error)
    }
  }

  /**
   * The header has said how much comes: what is not there any more, or cannot be read, is zeros.
   * @returns whether all of it was there
   */
  #copy(file: number, size: number): boolean {
    let left = size
    try {
      while (left > 0) {
        const bytes = this.#output.fillFrom(file, left)
        if (bytes === 0) break
        left -= bytes
      }
      return left === 0
    } finally {
      this.#output.zeros(left + paddingOf(size))
    }
  }

  #write(entry: WrittenEntry): void {
    this.#output.writeHeader(entry)
    this.#counts.entries += 1
  }

  #amiss(path: BytePath, error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EPIPE') throw error
    if (code === 'ENOENT') this.#changed(path, 'was removed while the folder was read')
    else {
      this.#counts.unreadable += 1
      this.#warn(`${shown(path)} cannot be read: ${reasons[code ?? ''] ?? message}`)
    }
  }

  #changed(path: BytePath, how: string): void {
    this.#counts.changed += 1
    this.#warn(`${shown(path)} ${how}`)
  }

  #warn(text: string): void {
    this.#warnings += 1
    if (this.#warnings <= mostWarnings) sayWarning(text)
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EIO: 'the disk gives an error',
  ELOOP: 'a link has taken its place',
}

/** A name in a folder, and what the folder says it is; nothing is a file where the disk does not keep that. */
type ListedName = Pick<Dirent, 'name' | 'isFile'>

const unknown = { isFile: () => false }

/** In the order of their bytes, so that the same folder gives the same archive. */
function sortedNames(folder: BytePath): ListedName[] {
  return listedNames(bytesOf(folder)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function listedNames(folder: Buffer): ListedName[] {
  try {
    return readdirSync(folder, { encoding: 'latin1', withFileTypes: true })
  } catch (error) {
    // Node cannot join a path of bytes and a name, which it does where it has to look for itself.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_ARG_TYPE') throw error
    return readdirSync(folder, { encoding: 'latin1' }).map((name) => ({ name, ...unknown }))
  }
}

function bytesOf(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1')
}

/** For messages, and for patterns. */
function shown(path: BytePath): string {
  return bytesOf(path).toString()
}

/** Every entry of one kind is an object of one shape: V8 is slow to make, and to read, objects that are put together. */
function entryOf<Type extends WrittenEntry['type']>(type: Type, path: BytePath, stats: BigIntStats) {
  return {
    path: bytesOf(path),
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: type === 'file' ? Number(stats.size) : 0,
    modifiedNs: stats.mtimeNs,
  }
}

/** Whether a file is not in the state in which it was opened. */
function hasChanged(before: BigIntStats, after: BigIntStats): boolean {
  return before.size !== after.size || before.mtimeNs !== after.mtimeNs || before.ctimeNs !== after.ctimeNs
}

function sourceError(source: string, error: unknown): HoldfastError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new HoldfastError('storage.not-found', `there is no folder ${source}`, {
      hint: 'check the source, and that its disk is mounted',
    })
  }
  const denied = code === 'EACCES' || code === 'EPERM'
  return new HoldfastError(
    denied ? 'storage.denied' : 'storage.failed',
    `${source} cannot be read: ${message}`,
  )
}
