import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { clipRange } from '../byte-range.js'
import { isLockedUntil, notLocked } from '../locked.js'
import { isObjectKey } from '../object-key.js'
import { pagedList, type Page, type PagedList } from '../paged-list.js'
import { remoteError } from '../remote-errors.js'
import { resumingRead, type OpenedRead } from '../resuming-read.js'
import type { Retry } from '../retry.js'
import { destroySource, sourceError } from '../source.js'
import type {
  ByteRange,
  ListOptions,
  ObjectKey,
  PutOptions,
  Storage,
  StorageCapabilities,
  StoredObject,
} from '../storage.js'
import { answerError, type GcsRequest, type GcsService } from './service.js'
import type { GcsSettings } from './settings.js'
import { upload } from './upload.js'

/** What the service says of an object; numbers are texts in its JSON. */
const objectSchema = z.object({
  name: z.string(),
  size: z.string().transform(Number),
  updated: z.string().transform((text) => new Date(text)),
  retention: z.object({ retainUntilTime: z.string().transform((text) => new Date(text)) }).optional(),
})
const pageSchema = z.object({
  items: z.array(objectSchema).default([]),
  nextPageToken: z.string().optional(),
})

const fields = 'name,size,updated'

/**
 * Where a page begins: at a name, which may come again. What is deleted meanwhile does no harm to that, as it may to a token, which goes
 * on where names alone do not.
 */
interface Start {
  readonly from: string
  readonly token?: string
}

/** How many objects one answer to a list holds: the service gives no more. */
const pageObjects = 1000

/** Objects in a bucket of Google Cloud Storage. */
export class GcsStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    atomicPut: true,
    createOnly: true,
    ranges: true,
    checksums: false,
    deduplicates: false,
    volatile: false,
  }
  readonly #service: GcsService
  readonly #settings: GcsSettings
  readonly #retry: Retry

  constructor(service: GcsService, settings: GcsSettings, retry: Retry) {
    this.#service = service
    this.#settings = settings
    this.#retry = retry
  }

  describe(): string {
    const { bucket, endpoint } = this.#settings
    return `gcs ${bucket}${endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`}`
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    const createOnly = options.createOnly === true
    const doing = `cannot write ${key} in ${this.describe()}`
    try {
      cx.signal.throwIfAborted()
      // The upload asks again; this saves sending all of it in vain.
      if (createOnly && (await this.#retry.run(cx, doing, () => this.stat(cx, key))) !== undefined)
        throw new HoldfastError('storage.exists', `${key} is already in ${this.describe()}`, {
          details: { key },
        })
      const until = options.retain === true ? this.#lockedUntil(cx) : undefined
      const answer = await upload(cx, body, {
        ...{ service: this.#service, retry: this.#retry, key, doing, createOnly },
        metadata: this.#metadata(until),
      })
      const stored = objectSchema.parse(answer)
      if (until === undefined || isLockedUntil(stored.retention?.retainUntilTime, until))
        return storedObject(key, stored)
      await this.delete(cx, key)
      throw notLocked(doing, key, 'immutableFor needs a bucket with object retention')
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? remoteError({ thrown: error, doing, details: { key } })
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
        failure: (thrown) => remoteError({ thrown, doing, code: 'storage.unreachable', details: { key } }),
      })
    } catch (error) {
      cx.signal.throwIfAborted()
      if (asHoldfastError(error).details['status'] === 416) return this.#nothing(cx, key)
      throw error
    }
  }

  async stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    const doing = `cannot look at ${key} in ${this.describe()}`
    const response = await this.#ask(cx, doing, { method: 'GET', url: `${urlOf(key)}?fields=${fields}` })
    if (response.status === 404) {
      await response.body?.cancel()
      return undefined
    }
    if (!response.ok) throw await answerError(response, doing, { key })
    return storedObject(key, objectSchema.parse(await response.json()))
  }

  async *list(cx: Context, prefix: string, options: ListOptions = {}): AsyncIterable<StoredObject> {
    const list: PagedList<Start> = {
      ...{ prefix, beginning: { from: '' }, behind: (key) => ({ from: key }) },
      page: (context, start) => this.#page(context, prefix, start),
    }
    cx.signal.throwIfAborted()
    for await (const object of pagedList(cx, list, options)) {
      cx.signal.throwIfAborted()
      yield object
    }
  }

  async delete(cx: Context, key: ObjectKey): Promise<void> {
    const doing = `cannot delete ${key} in ${this.describe()}`
    const response = await this.#ask(cx, doing, { method: 'DELETE', url: urlOf(key) })
    if (!response.ok && response.status !== 404) throw await answerError(response, doing, { key })
    await response.body?.cancel()
  }

  /** What was begun and not finished is invisible, and the service forgets it after a week. */
  sweep(): Promise<number> {
    return Promise.resolve(0)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #lockedUntil(cx: Context): Date | undefined {
    const { immutableFor } = this.#settings
    return immutableFor === undefined ? undefined : new Date(cx.env.clock.now().getTime() + immutableFor)
  }

  #metadata(until: Date | undefined): Readonly<Record<string, unknown>> {
    const { storageClass, immutableMode = 'locked' } = this.#settings
    const mode = immutableMode === 'locked' ? 'Locked' : 'Unlocked'
    return {
      ...(storageClass === undefined ? {} : { storageClass }),
      ...(until === undefined ? {} : { retention: { mode, retainUntilTime: until.toISOString() } }),
    }
  }

  async #ask(cx: Context, doing: string, request: Omit<GcsRequest, 'signal'>): Promise<Response> {
    try {
      return await this.#service.ask({ ...request, signal: cx.signal })
    } catch (error) {
      cx.signal.throwIfAborted()
      throw remoteError({ thrown: error, doing })
    }
  }

  async #page(cx: Context, prefix: string, { from, token }: Start): Promise<Page<Start>> {
    const doing = `cannot list ${this.describe()}`
    const query = new URLSearchParams({
      ...{ prefix, startOffset: from, maxResults: String(pageObjects) },
      ...(token === undefined ? {} : { pageToken: token }),
      fields: `items(${fields}),nextPageToken`,
    })
    const response = await this.#ask(cx, doing, { method: 'GET', url: `o?${query.toString()}` })
    if (!response.ok) throw await answerError(response, doing, {})
    const { items, nextPageToken } = pageSchema.parse(await response.json())
    const last = items.at(-1)?.name ?? from
    const more = nextPageToken !== undefined || items.length >= pageObjects
    const objects = items.flatMap((object) =>
      object.name !== from && isObjectKey(object.name) ? [storedObject(object.name, object)] : [],
    )
    // A page may hold nothing new and not be the last.
    const next =
      last === from && nextPageToken !== undefined ? { from, token: nextPageToken } : { from: last }
    return { objects, last, next: more ? next : undefined }
  }

  async #openRead(
    cx: Context,
    key: ObjectKey,
    { start, end }: { readonly start: number; readonly end: number },
    generation: string | undefined,
  ): Promise<OpenedRead> {
    const doing = `cannot read ${key} in ${this.describe()}`
    const same = generation === undefined ? '' : `&generation=${generation}`
    const limited = end !== Number.MAX_SAFE_INTEGER
    const range = start === 0 && !limited ? {} : { range: `bytes=${start}-${limited ? end - 1 : ''}` }
    const response = await this.#ask(cx, doing, {
      method: 'GET',
      url: `${urlOf(key)}?alt=media${same}`,
      // What was stored compressed is given as it was stored.
      headers: { ...range, 'accept-encoding': 'identity' },
    })
    if (!response.ok) throw await answerError(response, doing, { key })
    const length = Number(response.headers.get('content-length') ?? NaN)
    if (Number.isNaN(length)) {
      await response.body?.cancel()
      throw new HoldfastError('storage.failed', `${doing}: the service does not say how many bytes there are`)
    }
    const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body)
    const version = response.headers.get('x-goog-generation') ?? undefined
    return { body, end: start + length, version }
  }

  async #nothing(cx: Context, key: ObjectKey): Promise<Readable> {
    if ((await this.stat(cx, key)) !== undefined) return Readable.from([])
    throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, { details: { key } })
  }
}

function urlOf(key: ObjectKey): string {
  return `o/${encodeURIComponent(key)}`
}

function storedObject(key: ObjectKey, { size, updated }: z.infer<typeof objectSchema>): StoredObject {
  return { key, bytes: size, modified: updated }
}
