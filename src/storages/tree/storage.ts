import { addAbortSignal, Transform, type Readable, type Writable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { connect } from '../../streams/connect.js'
import { isReserved, partialFolder } from '../local/paths.js'
import { destroySource, sourceError } from '../source.js'
import type {
  ByteRange,
  ObjectKey,
  PutOptions,
  Storage,
  StorageCapabilities,
  StoredObject,
} from '../storage.js'
import { existsError, publish } from './publish.js'
import { foldersOf, isNotFound, type FileTree, type TreeEntry } from './tree.js'
import { walk } from './walk.js'

/** How long what must be cleaned up after an interruption may take. */
const cleanUpMs = 10_000

/**
 * Objects as files on a server. `put` makes the root where it is not there; `list` does not take a missing root for an empty
 * storage. What is being written lies in a folder that no list shows, until it is whole and gets its name in one step.
 */
export class TreeStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    atomicPut: true,
    createOnly: true,
    ranges: true,
    checksums: false,
    deduplicates: false,
    volatile: false,
  }
  readonly #tree: FileTree

  constructor(tree: FileTree) {
    this.#tree = tree
  }

  describe(): string {
    return this.#tree.describe()
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    const createOnly = options.createOnly === true
    try {
      cx.signal.throwIfAborted()
      refuseReserved(key)
      // `publish` asks again; this saves writing all of it in vain.
      if (createOnly && (await this.#tree.look(cx, key)) !== undefined) throw existsError(this.#tree, key)
      const partial = `${partialFolder}/${Buffer.from(cx.env.randomBytes(12)).toString('hex')}`
      const file = await this.#openPartial(cx, partial)
      try {
        const written = await this.#fill(cx, key, partial, file, body)
        await publish(cx, this.#tree, { key, partial, createOnly })
        return { key, ...written }
      } catch (error) {
        await this.#cleanUp(cx, partial, file)
        throw error
      }
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? asHoldfastError(error, 'storage.failed')
    }
  }

  async #openPartial(cx: Context, partial: string): Promise<Writable> {
    try {
      return await this.#tree.write(cx, partial)
    } catch (error) {
      if (!isNotFound(error)) throw error
      await this.#tree.makeRoot(cx)
      await this.#tree.makeFolder(cx, partialFolder)
      return this.#tree.write(cx, partial)
    }
  }

  async #fill(
    cx: Context,
    key: ObjectKey,
    partial: string,
    file: Writable,
    body: Readable,
  ): Promise<{ readonly bytes: number; readonly modified: Date }> {
    let bytes = 0
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        done(null, chunk)
      },
    })
    await connect([body, counter, file], cx.signal)
    cx.signal.throwIfAborted()
    const there = await this.#tree.look(cx, partial)
    if (there?.bytes === bytes) return { bytes, modified: there.modified }
    const found =
      there === undefined ? 'was removed while it was written' : `holds ${there.bytes} of ${bytes} bytes`
    throw new HoldfastError('storage.failed', `cannot write ${key} in ${this.describe()}: the file ${found}`)
  }

  /** What cannot be removed now is left to `sweep`. */
  async #cleanUp(cx: Context, partial: string, file: Writable): Promise<void> {
    const signal = AbortSignal.timeout(cleanUpMs)
    try {
      await closed(file, signal)
      await this.#tree.remove({ ...cx, signal }, partial)
    } catch {
      // The error of the put is the one to tell.
    }
  }

  async get(cx: Context, key: ObjectKey, range?: ByteRange): Promise<Readable> {
    cx.signal.throwIfAborted()
    refuseReserved(key)
    try {
      return addAbortSignal(cx.signal, await this.#tree.read(cx, key, range))
    } catch (error) {
      cx.signal.throwIfAborted()
      if (!isNotFound(error)) throw asHoldfastError(error, 'storage.failed')
      throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, {
        cause: error,
        details: { key },
      })
    }
  }

  async stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    refuseReserved(key)
    const entry = await this.#tree.look(cx, key)
    return entry?.kind === 'file' ? { key, bytes: entry.bytes, modified: entry.modified } : undefined
  }

  list(cx: Context, prefix: string): AsyncIterable<StoredObject> {
    return walk(cx, this.#tree, prefix)
  }

  async delete(cx: Context, key: ObjectKey): Promise<void> {
    refuseReserved(key)
    if (!(await this.#tree.remove(cx, key))) return
    for (const folder of foldersOf(key).reverse()) {
      // Not empty, gone, or not ours to remove: in each case it stays, and so do those above it.
      if (!(await this.#tree.removeFolder(cx, folder).catch(() => false))) return
    }
  }

  async sweep(cx: Context, olderThanMs: number): Promise<number> {
    const before = new Date(cx.env.clock.now().getTime() - olderThanMs)
    let swept = 0
    for (const { name, kind, modified } of (await this.#tree.list(cx, partialFolder)) ?? []) {
      if (modified >= before) continue
      if (await this.#sweepOne(cx, `${partialFolder}/${name}`, kind)) swept += 1
    }
    return swept
  }

  #sweepOne(cx: Context, path: string, kind: TreeEntry['kind']): Promise<boolean> {
    return kind === 'file' ? this.#tree.remove(cx, path) : this.#tree.removeFolder(cx, path)
  }

  async freeBytes(cx: Context): Promise<number | undefined> {
    return this.#tree.freeBytes?.(cx)
  }

  close(): Promise<void> {
    return this.#tree.close()
  }
}

/** Ends a file that may have failed already, and waits until it is let go. */
async function closed(file: Writable, signal: AbortSignal): Promise<void> {
  file.on('error', () => undefined)
  file.destroy()
  if (file.closed) return
  await new Promise<void>((resolve) => {
    file.once('close', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function refuseReserved(key: ObjectKey): void {
  const first = key.split('/')[0] ?? ''
  if (!isReserved(first)) return
  throw new HoldfastError('storage.unsafe-key', `${key} cannot be a file: ${first} is no place for objects`, {
    details: { key },
  })
}
