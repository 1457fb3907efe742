import type { Readable, Writable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import type { ByteRange } from '../storage.js'

/** A file or a folder; the size of a folder is 0. */
export interface TreeEntry {
  readonly kind: 'file' | 'folder'
  readonly bytes: number
  readonly modified: Date
}

export interface NamedEntry extends TreeEntry {
  readonly name: string
}

/**
 * A server of files in folders, as little of it as `TreeStorage` needs to make a storage of it. Paths are relative to the
 * storage's root, joined by `/`; the empty path is the root. Errors are storage errors with the codes of any other storage.
 */
export interface FileTree {
  /** Driver and place, secrets removed. */
  describe(): string
  /**
   * What is there; undefined where nothing is, also where a folder on the way is none.
   * @throws storage.denied for a symbolic link, at the path or on the way, where the server shows such
   */
  look(cx: Context, path: string): Promise<TreeEntry | undefined>
  /**
   * What is in a folder, in any order; undefined where there is no such folder.
   * @throws storage.denied for a link to a folder, which may hide backups
   */
  list(cx: Context, folder: string): Promise<readonly NamedEntry[] | undefined>
  /** @throws storage.not-found before the first byte */
  read(cx: Context, path: string, range?: ByteRange): Promise<Readable>
  /** A new file. Finishes when the server has all of it; closes when it lets the file go. @throws storage.not-found without its folder */
  write(cx: Context, path: string): Promise<Writable>
  /** Makes the root and what leads to it; one that is there is fine. */
  makeRoot(cx: Context): Promise<void>
  /** False where something has that name; of two callers only one gets true. @throws storage.not-found without its folder */
  makeFolder(cx: Context, path: string): Promise<boolean>
  /** Gives a file another name, whatever has it. @throws storage.not-found where the file or the folder is not there */
  replace(cx: Context, from: string, to: string): Promise<void>
  /**
   * Gives a file another name in one step, unless something has it; undefined where this server cannot.
   * @throws storage.not-found where the file or the folder is not there
   */
  create?(cx: Context, from: string, to: string): Promise<'created' | 'exists' | undefined>
  /** False where there is no such file. */
  remove(cx: Context, path: string): Promise<boolean>
  /** False where it is not empty, or is not there. */
  removeFolder(cx: Context, path: string): Promise<boolean>
  /** How many bytes more there is room for; undefined where the server does not say. */
  freeBytes?(cx: Context): Promise<number | undefined>
  close(): Promise<void>
}

/** The folders between the root and an object, outermost first. */
export function foldersOf(path: string): string[] {
  const segments = path.split('/').slice(0, -1)
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'))
}

/** Whether an error says that a file or folder is not there. */
export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof HoldfastError && thrown.code === 'storage.not-found'
}
