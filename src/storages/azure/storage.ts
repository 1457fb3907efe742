import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { BlockBlobUploadOptions, ContainerClient } from '@azure/storage-blob'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { clipRange } from '../byte-range.js'
import { isLockedUntil, notLocked } from '../locked.js'
import { compareKeys, isObjectKey } from '../object-key.js'
import { partPlan } from '../part-plan.js'
import { sendParts, type Part } from '../parts.js'
import { resumingRead, type OpenedRead } from '../resuming-read.js'
import type { Retry } from '../retry.js'
import { destroySource, sourceError } from '../source.js'
import type {
  ByteRange,
  ObjectKey,
  PutOptions,
  Storage,
  StorageCapabilities,
  StoredObject,
} from '../storage.js'
import { azureError, statusOf } from './errors.js'
import type { AzureSettings } from './settings.js'

/** How many objects one answer to a list holds: the service gives no more. */
const pageObjects = 5000

type Properties = Pick<BlockBlobUploadOptions, 'conditions' | 'tier' | 'immutabilityPolicy'>

/** Block blobs in a container. */
export class AzureStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    atomicPut: true,
    createOnly: true,
    ranges: true,
    checksums: false,
    deduplicates: false,
    volatile: false,
  }
  readonly #container: ContainerClient
  readonly #settings: AzureSettings
  readonly #retry: Retry

  constructor(container: ContainerClient, settings: AzureSettings, retry: Retry) {
    this.#container = container
    this.#settings = settings
    this.#retry = retry
  }

  describe(): string {
    return `azure ${this.#container.containerName} of ${this.#container.accountName}`
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    const doing = `cannot write ${key} in ${this.describe()}`
    try {
      cx.signal.throwIfAborted()
      // The upload asks again; this saves sending all of it in vain.
      if (options.createOnly === true && (await this.#retry.run(cx, doing, () => this.stat(cx, key))))
        throw new HoldfastError('storage.exists', `${key} is already in ${this.describe()}`, {
          details: { key },
        })
      const properties = this.#properties(cx, options)
      const stored = await this.#upload(cx, key, body, { doing, properties })
      const until = properties.immutabilityPolicy?.expiriesOn
      if (until !== undefined) await this.#assertLocked(cx, key, { doing, until })
      return stored
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? azureError(error, doing, { key })
    }
  }

  async get(cx: Context, key: ObjectKey, range?: ByteRange): Promise<Readable> {
    cx.signal.throwIfAborted()
    const doing = `cannot read ${key} in ${this.describe()}`
    const { start, end } = clipRange(range, Number.MAX_SAFE_INTEGER)
    if (start >= end) return this.#nothing(cx, key)
    try {
      return await resumingRead(cx, {
        ...{ retry: this.#retry, doing, start },
        open: (from, version) => this.#openRead(cx, key, { start: from, end }, version),
        failure: (thrown) => azureError(thrown, doing, { key }),
      })
    } catch (error) {
      cx.signal.throwIfAborted()
      if (asHoldfastError(error).details['status'] === 416) return this.#nothing(cx, key)
      throw error
    }
  }

  async stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    try {
      const { contentLength = 0, lastModified = new Date(0) } = await this.#container
        .getBlobClient(key)
        .getProperties({ abortSignal: cx.signal })
      return { key, bytes: contentLength, modified: lastModified }
    } catch (error) {
      cx.signal.throwIfAborted()
      const failure = azureError(error, `cannot look at ${key} in ${this.describe()}`, { key })
      if (isMissing(failure)) return undefined
      throw failure
    }
  }

  /** The service's order is that of UTF-16, which needs all names to be put right. */
  async *list(cx: Context, prefix: string): AsyncIterable<StoredObject> {
    const objects: StoredObject[] = []
    try {
      cx.signal.throwIfAborted()
      const pages = this.#container
        .listBlobsFlat({ abortSignal: cx.signal, ...(prefix === '' ? {} : { prefix }) })
        .byPage({ maxPageSize: pageObjects })
      for await (const { segment } of pages) {
        for (const { name, properties } of segment.blobItems) {
          const { contentLength = 0, lastModified } = properties
          if (isObjectKey(name)) objects.push({ key: name, bytes: contentLength, modified: lastModified })
        }
      }
    } catch (error) {
      cx.signal.throwIfAborted()
      throw azureError(error, `cannot list ${this.describe()}`)
    }
    cx.signal.throwIfAborted()
    yield* objects.sort((a, b) => compareKeys(a.key, b.key))
  }

  async delete(cx: Context, key: ObjectKey): Promise<void> {
    try {
      await this.#container.getBlobClient(key).delete({ abortSignal: cx.signal, deleteSnapshots: 'include' })
    } catch (error) {
      cx.signal.throwIfAborted()
      const failure = azureError(error, `cannot delete ${key} in ${this.describe()}`, { key })
      if (isMissing(failure)) return
      throw failure
    }
  }

  /** Blocks that no blob is made of are invisible, and the service forgets them after a week. */
  sweep(): Promise<number> {
    return Promise.resolve(0)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #properties(cx: Context, { createOnly = false, retain = false }: PutOptions): Properties {
    const { tier, immutableFor, immutableMode = 'locked' } = this.#settings
    const expiriesOn = new Date(cx.env.clock.now().getTime() + (immutableFor ?? 0))
    const policyMode = immutableMode === 'locked' ? 'Locked' : 'Unlocked'
    return {
      ...(createOnly ? { conditions: { ifNoneMatch: '*' } } : {}),
      ...(tier === undefined ? {} : { tier }),
      ...(immutableFor === undefined || !retain ? {} : { immutabilityPolicy: { expiriesOn, policyMode } }),
    }
  }

  /** A small object in one request, a larger one as blocks that become a blob when all of them are there. */
  async #upload(
    cx: Context,
    key: ObjectKey,
    body: Readable,
    { doing, properties }: { readonly doing: string; readonly properties: Properties },
  ): Promise<StoredObject> {
    const blob = this.#container.getBlockBlobClient(key)
    const random = Buffer.from(cx.env.randomBytes(8)).toString('hex')
    // All of one length, and those of no other run.
    const blockId = (index: number) =>
      Buffer.from(`${random}-${String(index).padStart(6, '0')}`).toString('base64')
    const attempt = <Result>(
      of: Context,
      work: (abortSignal: AbortSignal) => Promise<Result>,
    ): Promise<Result> =>
      this.#retry.run(of, doing, () =>
        work(of.signal).catch((error: unknown) => {
          throw azureError(error, doing, { key })
        }),
      )
    let bytesSent = 0
    let parts = 0
    let modified: Date | undefined
    await sendParts(cx, body, partPlan(), async ({ index, bytes, last }: Part, sending) => {
      bytesSent += bytes.length
      if (index === 0 && last) {
        const done = await attempt(sending, (abortSignal) =>
          blob.upload(bytes, bytes.length, { abortSignal, ...properties }),
        )
        modified = done.lastModified
        return
      }
      const md5 = createHash('md5').update(bytes).digest()
      await attempt(sending, (abortSignal) =>
        blob.stageBlock(blockId(index), bytes, bytes.length, { abortSignal, transactionalContentMD5: md5 }),
      )
      parts++
    })
    if (parts > 0) {
      const ids = Array.from({ length: parts }, (_, index) => blockId(index))
      const done = await attempt(cx, (abortSignal) =>
        blob.commitBlockList(ids, { abortSignal, ...properties }),
      )
      modified = done.lastModified
    }
    return { key, bytes: bytesSent, modified: modified ?? cx.env.clock.now() }
  }

  async #assertLocked(
    cx: Context,
    key: ObjectKey,
    { doing, until }: { readonly doing: string; readonly until: Date },
  ): Promise<void> {
    const blob = this.#container.getBlobClient(key)
    const { immutabilityPolicyExpiresOn } = await this.#retry.run(cx, doing, () =>
      blob.getProperties({ abortSignal: cx.signal }).catch((error: unknown) => {
        throw azureError(error, doing, { key })
      }),
    )
    if (isLockedUntil(immutabilityPolicyExpiresOn, until)) return
    await this.delete(cx, key)
    throw notLocked(doing, key, 'immutableFor needs a container with version-level immutability')
  }

  async #openRead(
    cx: Context,
    key: ObjectKey,
    { start, end }: { readonly start: number; readonly end: number },
    entityTag: string | undefined,
  ): Promise<OpenedRead> {
    const doing = `cannot read ${key} in ${this.describe()}`
    try {
      const count = end === Number.MAX_SAFE_INTEGER ? undefined : end - start
      const { readableStreamBody, contentLength, etag } = await this.#container
        .getBlobClient(key)
        .download(start, count, {
          abortSignal: cx.signal,
          maxRetryRequests: 0,
          ...(entityTag === undefined ? {} : { conditions: { ifMatch: entityTag } }),
        })
      if (!(readableStreamBody instanceof Readable) || contentLength === undefined)
        throw new HoldfastError('storage.failed', `${doing}: the service gave no bytes, or not their number`)
      return { body: readableStreamBody, end: start + contentLength, version: etag }
    } catch (error) {
      cx.signal.throwIfAborted()
      if (statusOf(error) === 412) {
        throw new HoldfastError('storage.failed', `${doing}: it was replaced while it was read`, {
          details: { key, passing: false },
        })
      }
      throw azureError(error, doing, { key })
    }
  }

  async #nothing(cx: Context, key: ObjectKey): Promise<Readable> {
    if ((await this.stat(cx, key)) !== undefined) return Readable.from([])
    throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, { details: { key } })
  }
}

/** The object is not there; its container is. */
function isMissing({ details }: HoldfastError): boolean {
  return details['status'] === 404 && details['serviceCode'] !== 'ContainerNotFound'
}
