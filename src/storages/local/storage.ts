import { lstat, statfs, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { makeFolder, syncFolder } from '../../streams/durable-folder.js'
import { destroySource, sourceError } from '../source.js'
import type {
  ByteRange,
  ObjectKey,
  PutOptions,
  Storage,
  StorageCapabilities,
  StoredObject,
} from '../storage.js'
import { isMissing, storageError } from './errors.js'
import { removePartial, sweepPartials, writePartial } from './partial.js'
import { pathOf, refuseLinks, removeEmptyFolders } from './paths.js'
import { existsError, isThere, publish, type LinkCall } from './publish.js'
import { readFile } from './read.js'
import { walk } from './walk.js'

/**
 * Objects as files in a folder, private to the user (0700, 0600). `put` makes the folder where it is not there; `list` does
 * not take a missing folder for an empty one, since it may be a disk that is not mounted.
 */
export class LocalStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    atomicPut: true,
    createOnly: true,
    ranges: true,
    checksums: false,
    deduplicates: false,
    volatile: false,
  }
  readonly #path: string
  readonly #inHome: boolean
  readonly #link: LinkCall | undefined

  /** @param path relative to `baseDirectory`, or to the home folder with `~/` at its beginning */
  constructor(path: string, baseDirectory: string, link?: LinkCall) {
    this.#inHome = /^~(?=[/\\]|$)/u.test(path)
    this.#path = this.#inHome ? path : resolve(baseDirectory, path)
    this.#link = link
  }

  describe(): string {
    return `local ${this.#path}`
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    const createOnly = options.createOnly === true
    const doing = `cannot write ${key} in ${this.describe()}`
    try {
      const root = this.#root(cx)
      const target = pathOf(root, key, cx.env.platform)
      cx.signal.throwIfAborted()
      await makeFolder(root, 0o700)
      await refuseLinks(root, key)
      // `publish` asks again; this saves writing all of it in vain.
      if (createOnly && (await isThere(target))) throw existsError(root, key)
      const { path: partial, bytes, modified } = await writePartial(cx, root, body, doing)
      try {
        cx.signal.throwIfAborted()
        await publish({ root, key, partial, target, createOnly }, this.#link)
      } catch (error) {
        await removePartial(partial)
        throw error
      }
      return { key, bytes, modified }
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? storageError(error, doing, { key })
    }
  }

  async get(cx: Context, key: ObjectKey, range?: ByteRange): Promise<Readable> {
    cx.signal.throwIfAborted()
    const doing = `cannot read ${key} in ${this.describe()}`
    const root = this.#root(cx)
    const path = pathOf(root, key, cx.env.platform)
    try {
      await refuseLinks(root, key)
      return await readFile(path, range, cx.signal, doing)
    } catch (error) {
      if (!isMissing(error)) throw storageError(error, doing, { key })
      throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, {
        cause: error,
        details: { key },
      })
    }
  }

  async stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    const root = this.#root(cx)
    const path = pathOf(root, key, cx.env.platform)
    try {
      await refuseLinks(root, key)
      const stats = await lstat(path)
      return stats.isFile() ? { key, bytes: stats.size, modified: stats.mtime } : undefined
    } catch (error) {
      if (isMissing(error)) return undefined
      throw storageError(error, `cannot look at ${key} in ${this.describe()}`, { key })
    }
  }

  async *list(cx: Context, prefix: string): AsyncIterable<StoredObject> {
    try {
      yield* walk(this.#root(cx), prefix, cx.signal)
    } catch (error) {
      cx.signal.throwIfAborted()
      throw storageError(error, `cannot list ${this.describe()}`)
    }
  }

  async delete(cx: Context, key: ObjectKey): Promise<void> {
    const root = this.#root(cx)
    const path = pathOf(root, key, cx.env.platform)
    try {
      await refuseLinks(root, key)
      await unlink(path)
      // In the order of the calls also after a power loss: a manifest is deleted before what it names.
      await syncFolder(dirname(path))
      await removeEmptyFolders(root, key)
    } catch (error) {
      if (isMissing(error)) return
      throw storageError(error, `cannot delete ${key} in ${this.describe()}`, { key })
    }
  }

  async sweep(cx: Context, olderThanMs: number): Promise<number> {
    try {
      return await sweepPartials(this.#root(cx), new Date(cx.env.clock.now().getTime() - olderThanMs))
    } catch (error) {
      throw storageError(error, `cannot remove what an interrupted run left in ${this.describe()}`)
    }
  }

  async freeBytes(cx: Context): Promise<number> {
    try {
      const { bavail, bsize } = await statfs(this.#root(cx))
      return bavail * bsize
    } catch (error) {
      throw storageError(error, `cannot look at ${this.describe()}`)
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #root(cx: Context): string {
    return this.#inHome ? join(cx.env.homeDirectory, this.#path.slice(1)) : this.#path
  }
}
