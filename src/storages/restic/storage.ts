import { addAbortSignal, Readable, Transform, type Writable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { connect } from '../../streams/connect.js'
import { clipRange } from '../byte-range.js'
import { Retry } from '../retry.js'
import { destroySource, sourceError } from '../source.js'
import type {
  ByteRange,
  ObjectKey,
  PutOptions,
  Storage,
  StorageCapabilities,
  StoredObject,
} from '../storage.js'
import { headOf, type Head } from './head.js'
import type { Restic } from './program.js'
import { isWhole, objectsOf, tags, versionsOf, type Version, type WholeVersion } from './snapshots.js'

/**
 * So much of an object is kept until restic has taken it: it may find the repository locked, and be started again. More than a pipe
 * holds, so that what was taken was read.
 */
const headBytes = 1024 * 1024

/** What a snapshot holds that is only there for its tags. */
const noBytes = Buffer.from('\n')

/** How long what must be cleaned up after an interruption may take. */
const cleanUpMs = 10_000

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
  #isThere: Promise<void> | undefined
  /** Whether snapshots were removed whose bytes are still there. */
  #freed = false

  constructor(restic: Restic, retry: Retry = new Retry(0)) {
    this.#restic = restic
    this.#retry = retry
  }

  describe(): string {
    return this.#restic.describe()
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    const createOnly = options.createOnly === true
    const stop = () => void body.destroy(cx.signal.reason as Error)
    try {
      cx.signal.throwIfAborted()
      cx.signal.addEventListener('abort', stop, { once: true })
      await this.#made(cx)
      if (createOnly && (await this.#find(cx, key)) !== undefined)
        throw new HoldfastError('storage.exists', `${key} is in ${this.describe()} already`, {
          details: { key },
        })
      const put = Buffer.from(cx.env.randomBytes(12)).toString('hex')
      const head = await headOf(body, headBytes)
      const bytes =
        head.rest === undefined
          ? await this.#putWhole(cx, key, put, head.bytes)
          : await this.#putLong(cx, key, put, head)
      if (!createOnly) await this.#removeOthers(cx, key, put)
      return { key, bytes, modified: cx.env.clock.now() }
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? asHoldfastError(error, 'storage.failed')
    } finally {
      cx.signal.removeEventListener('abort', stop)
    }
  }

  /** The repository, made where it is not there. */
  #made(cx: Context): Promise<void> {
    this.#isThere ??= this.#makeWhereMissing(cx).catch((error: unknown) => {
      this.#isThere = undefined
      throw error
    })
    return this.#isThere
  }

  async #makeWhereMissing(cx: Context): Promise<void> {
    try {
      await this.#run(cx, 'cannot look at the repository', ['cat', 'config', '--no-lock', '--quiet'])
    } catch (error) {
      if (asHoldfastError(error).code !== 'storage.not-found') throw error
      await this.#run(cx, 'cannot make the repository', ['init', '--quiet'])
    }
  }

  /** One snapshot is all where the size is known. restic refuses to store nothing, so an empty object has a byte that is not read. */
  async #putWhole(cx: Context, key: ObjectKey, put: string, content: Buffer): Promise<number> {
    const own = [tags.receipt, tags.data, tags.put(put), tags.bytes(content.length)]
    await this.#snapshot(cx, key, own, content.length === 0 ? noBytes : content)
    return content.length
  }

  async #snapshot(cx: Context, key: ObjectKey, own: readonly string[], content: Buffer): Promise<void> {
    const doing = `cannot write ${key}`
    await this.#retry.run(cx, `${doing} in ${this.describe()}`, async () => {
      const { stdin, finished } = await this.#restic.feed(cx, backupArgs(key, own))
      stdin.on('error', () => undefined)
      stdin.end(content)
      await finished.catch((thrown: unknown) => this.#failed(cx, thrown, doing))
    })
  }

  async #putLong(cx: Context, key: ObjectKey, put: string, head: Head): Promise<number> {
    const doing = `cannot write ${key}`
    const args = backupArgs(key, [tags.data, tags.put(put)])
    const stdin = await this.#retry.run(cx, `${doing} in ${this.describe()}`, () =>
      this.#begun(cx, doing, args, head.bytes),
    )
    let bytes = head.bytes.length
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        done(null, chunk)
      },
    })
    try {
      await connect([Readable.from(head.rest ?? [], { objectMode: false }), counter, stdin], cx.signal)
    } catch (thrown) {
      await this.#unlock(cx)
      throw this.#restic.error(thrown, doing)
    }
    const stored = await this.#storedBytes(cx, key, put)
    if (stored !== bytes)
      throw new HoldfastError(
        'storage.failed',
        `${doing} in ${this.describe()}: it holds ${stored ?? 'none'} of ${bytes} bytes`,
      )
    await this.#snapshot(cx, key, [tags.receipt, tags.put(put), tags.bytes(bytes)], noBytes)
    return bytes
  }

  /** A restic that has a lock, and has taken the head. */
  async #begun(cx: Context, doing: string, args: readonly string[], head: Buffer): Promise<Writable> {
    const { stdin, finished } = await this.#restic.feed(cx, args)
    const ignore = () => undefined
    stdin.on('error', ignore)
    const taken = new Promise<void>((resolve) => {
      stdin.write(head, (error) => {
        if (error === null || error === undefined) resolve()
      })
    })
    try {
      await Promise.race([taken, finished])
    } catch (thrown) {
      return this.#failed(cx, thrown, doing)
    }
    stdin.off('error', ignore)
    return stdin
  }

  async #storedBytes(cx: Context, key: ObjectKey, put: string): Promise<number | undefined> {
    const args = ['ls', '--no-lock', '--json', '--tag', tags.put(put), 'latest', `/${key}`]
    const printed = await this.#run(cx, `cannot look at ${key}`, args)
    const nodes = printed
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly path?: string; readonly size?: number })
    return nodes.find(({ path }) => path === `/${key}`)?.size
  }

  /** What a restic that was ended leaves is its lock. */
  async #failed(cx: Context, thrown: unknown, doing: string): Promise<never> {
    if (cx.signal.aborted) await this.#unlock(cx)
    throw this.#restic.error(thrown, doing)
  }

  async get(cx: Context, key: ObjectKey, range?: ByteRange): Promise<Readable> {
    cx.signal.throwIfAborted()
    const version = await this.#find(cx, key)
    if (version === undefined)
      throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, {
        details: { key },
      })
    const { start, end } = clipRange(range, version.bytes)
    if (start >= end) return Readable.from([])
    const { stdout, finished } = await this.#restic.read(cx, ['dump', '--no-lock', version.data, `/${key}`])
    finished.catch(() => undefined)
    const doing = `cannot read ${key}`
    const restic = this.#restic
    async function* part(): AsyncGenerator<Buffer> {
      let position = 0
      try {
        for await (const chunk of stdout as AsyncIterable<Buffer>) {
          const wanted = chunk.subarray(Math.max(0, start - position), Math.max(0, end - position))
          position += chunk.length
          if (wanted.length > 0) yield wanted
          if (position >= end && end < (version?.bytes ?? 0)) return
        }
      } catch (thrown) {
        throw restic.error(thrown, doing)
      }
      if (position !== version?.bytes)
        throw new HoldfastError(
          'integrity.truncated',
          `${doing} in ${restic.describe()}: ${position} bytes came of ${version?.bytes}`,
        )
    }
    return addAbortSignal(cx.signal, Readable.from(part(), { objectMode: false }))
  }

  async stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    const version = await this.#find(cx, key)
    return version === undefined ? undefined : objectOf(version)
  }

  async *list(cx: Context, prefix: string): AsyncGenerator<StoredObject> {
    cx.signal.throwIfAborted()
    for (const version of objectsOf(await this.#versions(cx))) {
      cx.signal.throwIfAborted()
      if (version.key.startsWith(prefix)) yield objectOf(version)
    }
  }

  async delete(cx: Context, key: ObjectKey): Promise<void> {
    const versions = (await this.#known(cx)).filter((each) => each.key === key && isWhole(each))
    await this.#remove(cx, versions)
  }

  /** What a put has replaced. The object is there whether that can be removed or not. */
  async #removeOthers(cx: Context, key: ObjectKey, put: string): Promise<void> {
    const versions = (await this.#versions(cx)).filter((each) => each.key === key && isWhole(each))
    // Another run has replaced it meanwhile, and removes the rest.
    if (versions.length < 2 || objectsOf(versions)[0]?.put !== put) return
    await this.#forget(
      cx,
      versions.filter((each) => each.put !== put),
    ).catch(() => undefined)
  }

  async #remove(cx: Context, versions: readonly Version[]): Promise<void> {
    if (versions.length === 0) return
    try {
      await this.#forget(cx, versions)
    } catch (error) {
      if (asHoldfastError(error).code !== 'storage.busy') throw error
      // Others are writing, for hours perhaps: what is marked is not there any more.
      for (const { key, put } of versions) await this.#snapshot(cx, key, [tags.gone, tags.put(put)], noBytes)
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
        await this.#unlock(cx)
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

  /** Removes the locks of runs that are dead, and no others. */
  async #unlock(cx: Context): Promise<void> {
    const own = { ...cx, signal: AbortSignal.timeout(cleanUpMs) }
    await this.#run(own, 'cannot unlock', ['unlock', '--quiet']).catch(() => undefined)
  }

  async #find(cx: Context, key: ObjectKey): Promise<WholeVersion | undefined> {
    return objectsOf(await this.#known(cx)).find((each) => each.key === key)
  }

  /** None where there is no repository. */
  async #known(cx: Context): Promise<readonly Version[]> {
    return this.#versions(cx).catch((error: unknown) => {
      if (asHoldfastError(error).code === 'storage.not-found') return []
      throw error
    })
  }

  async #versions(cx: Context): Promise<readonly Version[]> {
    const ours = [tags.data, tags.receipt, tags.gone].flatMap((tag) => ['--tag', tag])
    return versionsOf(await this.#run(cx, 'cannot list', ['snapshots', '--no-lock', '--json', ...ours]))
  }

  #run(cx: Context, doing: string, args: readonly string[]): Promise<string> {
    return this.#restic.run(cx, doing, args)
  }
}

function backupArgs(key: ObjectKey, own: readonly string[]): readonly string[] {
  const tagged = own.flatMap((tag) => ['--tag', tag])
  return ['backup', '--quiet', '--stdin', '--stdin-filename', key, '--host', 'holdfast', ...tagged]
}

function objectOf({ key, bytes, modified }: WholeVersion): StoredObject {
  return { key, bytes, modified }
}
