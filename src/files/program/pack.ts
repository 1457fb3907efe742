import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type BigIntStats,
  type Dirent,
} from 'node:fs'
import { readlinkSync } from 'node:fs'
import { HoldfastError } from '../../errors.js'
import { pathTest, type PathTest } from '../globs.js'
import { endOfArchive } from '../tar/encode.js'
import { paddingOf, type TarEntry } from '../tar/entry.js'
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
    this.#write({ ...described(folder.path, folder.stats), type: 'folder', size: 0 })
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
      this.#write({ ...described(path, stats), type: 'symlink', size: 0, link })
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
    this.#write({ ...described(path, stats), type: 'hardlink', size: 0, link: bytesOf(link) })
    return true
  }

  #packBytes(file: number, path: BytePath, stats: BigIntStats, folder: OpenFolder): void {
    this.#writeFolder(folder)
    const entry = { ...described(path, stats), type: 'file', size: Number(stats.size) } as const
    this.#write(entry)
    this.#counts.bytes += entry.size
    const { missing, error } = this.#copy(file, entry.size)
    if (stats.nlink > 1n) this.#linked.set(`${stats.dev}:${stats.ino}`, path)
    if (error !== undefined) this.#amiss(path, error)
    else if (missing > 0 || hasChanged(stats, fstatSync(file, { bigint: true })))
      this.#changed(path, 'changed while it was read')
  }

  /** The header has said how much comes: what is not there any more, or cannot be read, is zeros. */
  #copy(file: number, size: number): { readonly missing: number; readonly error?: unknown } {
    let left = size
    let error: unknown
    try {
      while (left > 0) {
        const bytes = this.#output.fill(left, (buffer, at, length) =>
          readSync(file, buffer, at, length, null),
        )
        if (bytes === 0) break
        left -= bytes
      }
    } catch (thrown) {
      error = thrown
    }
    const missing = left
    while (left > 0) left -= this.#output.fill(left, zeros)
    this.#output.write(endOfArchive.subarray(0, paddingOf(size)))
    return { missing, ...(error === undefined ? {} : { error }) }
  }

  #write(entry: Parameters<ArchiveOutput['writeHeader']>[0]): void {
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

function zeros(buffer: Buffer, at: number, length: number): number {
  buffer.fill(0, at, at + length)
  return length
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

function described(path: BytePath, stats: BigIntStats): Omit<TarEntry, 'type' | 'size'> {
  return {
    path: bytesOf(path),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
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
