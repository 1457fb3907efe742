import { Readable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { clipRange } from '../byte-range.js'
import { Retry } from '../retry.js'
import { resumingRead, type OpenedRead } from '../resuming-read.js'
import { destroySource, sourceError } from '../source.js'
import type {
  ByteRange,
  ObjectKey,
  PutOptions,
  Storage,
  StorageCapabilities,
  StoredObject,
} from '../storage.js'
import { Backup, noBytes } from './backup.js'
import { headOf, type Head } from '../../streams/head.js'
import type { Restic } from './program.js'
import { SharedRuns } from './shared-runs.js'
import { isWhole, objectsOf, tags, versionsOf, type Version, type WholeVersion } from './snapshots.js'

/**
 * So much of an object is kept until restic has taken it: it may find the repository locked, and be started again. More than a pipe
 * holds, so that what was taken was read.
 */
const headBytes = 1024 * 1024

/** Whoever looks at an object right after it was written is told what restic has said of it. */
const ownWordMs = 5_000

/**
 * For so long a list stands for the next, unless something was written from here since it began: whoever writes and then looks is
 * told what is there after.
 */
const momentMs = 500

/** For so long what was listed is read as it was listed. */
const listedMs = 10_000

interface Part {
  readonly start: number
  readonly end: number
}

/** No command line is longer than some systems allow. */
const snapshotsAtOnce = 200

/**
 * Objects as snapshots in a repository of restic, which stores what is alike only once. Nothing but locks that any number of runs may
 * hold is needed to write, read and delete; what is deleted while others hold one is marked, and removed by a later `sweep`.
 */
export class ResticStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    atomicPut: true,
    createOnly: false,
    ranges: true,
    checksums: false,
    deduplicates: true,
    volatile: false,
  }
  readonly #restic: Restic
  readonly #retry: Retry
  readonly #backup: Backup
  readonly #lists = new SharedRuns<undefined, readonly Version[]>((cx) => this.#readVersions(cx))
  readonly #deletes = new SharedRuns<ObjectKey, void>((cx, keys) => this.#deleteAll(cx, keys))
  /** The last list, where nothing was written since. */
  #listed: { readonly atMs: number; readonly versions: readonly Version[] } | undefined
  /** How often this storage was changed from here. */
  #changes = 0
  /** What restic has said of what it has just stored. */
  readonly #stored = new Map<ObjectKey, { readonly stored: StoredObject; readonly atMs: number }>()
  /** Whether snapshots were removed whose bytes are still there. */
  #freed = false

  constructor(restic: Restic, retry: Retry = new Retry(0)) {
    this.#restic = restic
    this.#retry = retry
    this.#backup = new Backup(restic, retry)
  }

  describe(): string {
    return this.#restic.describe()
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    const stop = () => void body.destroy(cx.signal.reason as Error)
    try {
      cx.signal.throwIfAborted()
      cx.signal.addEventListener('abort', stop, { once: true })
      const put = Buffer.from(cx.env.randomBytes(12)).toString('hex')
      const head = await this.#headWhereFree(cx, key, body, options)
      const modified = cx.env.clock.now()
      const bytes =
        head.rest === undefined
          ? await this.#backup.whole(cx, key, put, head.bytes)
          : await this.#backup.long(cx, key, put, head)
      this.#changed()
      if (options.createOnly === true && head.rest === undefined) await this.#assertAlone(cx, key, put)
      const stored = { key, bytes, modified }
      this.#stored.set(key, { stored, atMs: performance.now() })
      return stored
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? asHoldfastError(error, 'storage.failed')
    } finally {
      cx.signal.removeEventListener('abort', stop)
    }
  }

  /** The beginning of what is to be stored, read while restic is asked whether the name is free. */
  async #headWhereFree(cx: Context, key: ObjectKey, body: Readable, options: PutOptions): Promise<Head> {
    const head = headOf(body, headBytes)
    if (options.createOnly !== true) return head
    const doing = `cannot list ${this.describe()}`
    const list = () => this.#restic.making(cx, () => this.#versionsLately(cx))
    const free = this.#retry.run(cx, doing, list).then((versions) => {
      if (wholeVersion(versions, key) !== undefined) throw this.#exists(key)
    })
    free.catch((error: unknown) => destroySource(body, error))
    // Nothing of it goes on when the put has failed.
    const [checked, read] = await Promise.allSettled([free, head])
    if (read.status === 'fulfilled' && checked.status === 'fulfilled') return read.value
    throw checked.status === 'rejected' ? checked.reason : (read as PromiseRejectedResult).reason
  }

  /** Of several that wrote under one name at once each sees another, but for the first at most: whoever does withdraws. */
  async #assertAlone(cx: Context, key: ObjectKey, put: string): Promise<void> {
    const doing = `cannot list ${this.describe()}`
    const versions = await this.#retry.run(cx, doing, () => this.#versions(cx))
    const there = versions.filter((each) => each.key === key && isWhole(each))
    if (there.every((each) => each.put === put)) return
    await this.#remove(
      cx,
      there.filter((each) => each.put === put),
    )
    throw this.#exists(key)
  }

  #exists(key: ObjectKey): HoldfastError {
    return new HoldfastError('storage.exists', `${key} is in ${this.describe()} already`, {
      details: { key },
    })
  }

  async get(cx: Context, key: ObjectKey, range?: ByteRange): Promise<Readable> {
    cx.signal.throwIfAborted()
    const doing = `cannot read ${key} in ${this.describe()}`
    const first = await this.#retry.run(cx, doing, () => this.#find(cx, key, this.#listedWithin(listedMs)))
    const { start, end } = clipRange(range, first.bytes)
    if (start >= end) return Readable.from([])
    let version = first
    return resumingRead(cx, {
      retry: this.#retry,
      doing,
      start,
      open: async (position, data) => {
        if (data !== undefined) return this.#dump(cx, version, { start: position, end })
        try {
          return await this.#dump(cx, version, { start: position, end })
        } catch (error) {
          if (asHoldfastError(error).code !== 'storage.not-found') throw error
          // Deleted or replaced since it was listed.
          version = await this.#find(cx, key)
          return this.#dump(cx, version, clipRange(range, version.bytes))
        }
      },
      failure: (thrown) => asHoldfastError(thrown, 'storage.failed'),
    })
  }

  /** @throws storage.* before there is a byte */
  async #dump(cx: Context, version: WholeVersion, { start, end }: Part): Promise<OpenedRead> {
    const { key, data, bytes } = version
    const restic = this.#restic
    const doing = `cannot read ${key}`
    const { stdout, finished } = await restic.read(cx, ['dump', '--no-lock', data, `/${key}`])
    finished.catch(() => undefined)
    const chunks = stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const next = () =>
      chunks.next().catch((thrown: unknown) => {
        throw restic.error(thrown, doing)
      })
    let result = await next()
    async function* part(): AsyncGenerator<Buffer> {
      let position = 0
      try {
        for (; result.done !== true; result = await next()) {
          const chunk = result.value
          const wanted = chunk.subarray(Math.max(0, start - position), Math.max(0, end - position))
          position += chunk.length
          if (wanted.length > 0) yield wanted
          if (position >= end && end < bytes) return
        }
      } finally {
        stdout.destroy()
      }
      if (position !== bytes)
        throw new HoldfastError(
          'integrity.truncated',
          `${doing} in ${restic.describe()}: ${position} bytes came of ${bytes}`,
        )
    }
    return { body: Readable.from(part(), { objectMode: false }), end, version: data }
  }

  async stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    const own = this.#stored.get(key)
    this.#stored.delete(key)
    if (own !== undefined && performance.now() - own.atMs < ownWordMs) return own.stored
    const version = wholeVersion(await this.#known(cx), key)
    return version === undefined ? undefined : objectOf(version)
  }

  async *list(cx: Context, prefix: string): AsyncGenerator<StoredObject> {
    cx.signal.throwIfAborted()
    const versions = await this.#versionsLately(cx)
    for (const version of objectsOf(versions)) {
      cx.signal.throwIfAborted()
      if (version.key.startsWith(prefix)) yield objectOf(version)
    }
  }

  async delete(cx: Context, key: ObjectKey): Promise<void> {
    cx.signal.throwIfAborted()
    await this.#deletes.ask(cx, key)
  }

  /** Those that a put has replaced, too. */
  async #deleteAll(cx: Context, keys: readonly ObjectKey[]): Promise<void> {
    for (const key of keys) this.#stored.delete(key)
    const versions = (await this.#known(cx)).filter((each) => keys.includes(each.key) && isWhole(each))
    if (versions.length > 0) await this.#remove(cx, versions)
  }

  async #remove(cx: Context, versions: readonly Version[]): Promise<void> {
    try {
      await this.#forget(cx, versions)
    } catch (error) {
      if (asHoldfastError(error).code !== 'storage.busy') throw error
      // Others are writing, for hours perhaps: what is marked is not there any more.
      for (const { key, put } of versions)
        await this.#backup.snapshot(cx, key, [tags.gone, tags.put(put)], noBytes)
    } finally {
      this.#changed()
    }
  }

  /** Removes snapshots, which needs the repository for itself. @throws storage.busy */
  async #forget(cx: Context, versions: readonly Version[]): Promise<void> {
    const ids = versions.flatMap(({ snapshots }) => snapshots)
    for (let start = 0; start < ids.length; start += snapshotsAtOnce) {
      const some = ids.slice(start, start + snapshotsAtOnce)
      await this.#run(cx, 'cannot delete', ['forget', '--quiet', ...some])
      this.#freed = true
    }
  }

  async sweep(cx: Context, olderThanMs: number, prefix = ''): Promise<number> {
    const before = new Date(cx.env.clock.now().getTime() - olderThanMs)
    const versions = (await this.#known(cx)).filter(({ key }) => key.startsWith(prefix))
    const current = new Set(objectsOf(versions).map(({ put }) => put))
    const unfinished = versions.filter(
      (each) => !each.gone && (each.bytes === undefined || each.data === undefined) && each.modified < before,
    )
    const replaced = versions.filter((each) => each.gone || (isWhole(each) && !current.has(each.put)))
    try {
      if (unfinished.length + replaced.length > 0) {
        await this.#restic.unlock(cx)
        await this.#forget(cx, [...unfinished, ...replaced])
      }
      if (this.#freed) await this.#run(cx, 'cannot prune', ['prune', '--quiet'])
      this.#freed = false
    } catch (error) {
      // Others are at work: the next sweep finds the same.
      if (asHoldfastError(error).code !== 'storage.busy') throw error
      return 0
    }
    return unfinished.length
  }

  close(): Promise<void> {
    return this.#restic.close()
  }

  /** @throws storage.not-found */
  async #find(cx: Context, key: ObjectKey, listed: readonly Version[] = []): Promise<WholeVersion> {
    const version = wholeVersion(listed, key) ?? wholeVersion(await this.#known(cx), key)
    if (version !== undefined) return version
    throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, { details: { key } })
  }

  #changed(): void {
    this.#changes += 1
    this.#listed = undefined
  }

  #listedWithin(ms: number): readonly Version[] | undefined {
    const { atMs, versions } = this.#listed ?? { atMs: -Infinity, versions: [] }
    return performance.now() - atMs < ms ? versions : undefined
  }

  /** None where there is no repository. */
  async #known(cx: Context): Promise<readonly Version[]> {
    return this.#versionsLately(cx).catch((error: unknown) => {
      if (asHoldfastError(error).code === 'storage.not-found') return []
      throw error
    })
  }

  async #versionsLately(cx: Context): Promise<readonly Version[]> {
    return this.#listedWithin(momentMs) ?? (await this.#versions(cx))
  }

  #versions(cx: Context): Promise<readonly Version[]> {
    return this.#lists.ask(cx, undefined)
  }

  async #readVersions(cx: Context): Promise<readonly Version[]> {
    const changes = this.#changes
    const ours = [tags.data, tags.receipt, tags.gone].flatMap((tag) => ['--tag', tag])
    const printed = await this.#run(cx, 'cannot list', ['snapshots', '--no-lock', '--json', ...ours])
    const versions = versionsOf(printed)
    if (changes === this.#changes) this.#listed = { atMs: performance.now(), versions }
    return versions
  }

  #run(cx: Context, doing: string, args: readonly string[]): Promise<string> {
    return this.#restic.run(cx, doing, args)
  }
}

function wholeVersion(versions: readonly Version[], key: ObjectKey): WholeVersion | undefined {
  return objectsOf(versions.filter((each) => each.key === key))[0]
}

function objectOf({ key, bytes, modified }: WholeVersion): StoredObject {
  return { key, bytes, modified }
}
