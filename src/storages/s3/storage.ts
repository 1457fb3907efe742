import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type HeadObjectCommandOutput,
  type MultipartUpload,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { clipRange } from '../byte-range.js'
import { isLockedUntil, notLocked } from '../locked.js'
import { pagedList } from '../paged-list.js'
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
import { needsLock, s3Error, serviceCodeOf, statusOf } from './errors.js'
import { partPlan } from '../part-plan.js'
import { listOf } from './list.js'
import type { S3Settings } from './settings.js'
import { upload, type Uploaded } from './upload.js'

/** Objects in a bucket. */
export class S3Storage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #client: S3Client
  readonly #settings: S3Settings
  readonly #retry: Retry

  constructor(client: S3Client, settings: S3Settings, retry: Retry) {
    this.#client = client
    this.#settings = settings
    this.#retry = retry
    this.capabilities = {
      atomicPut: true,
      createOnly: settings.createOnly ?? true,
      ranges: true,
      checksums: settings.checksums ?? true,
      deduplicates: false,
      volatile: false,
    }
  }

  describe(): string {
    const { bucket, endpoint } = this.#settings
    return `s3 ${bucket}${endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`}`
  }

  async put(cx: Context, key: ObjectKey, body: Readable, options: PutOptions = {}): Promise<StoredObject> {
    const createOnly = options.createOnly === true
    const doing = `cannot write ${key} in ${this.describe()}`
    let sent: Uploaded | undefined
    try {
      cx.signal.throwIfAborted()
      // The upload asks again; this saves sending all of it in vain.
      if (createOnly && (await this.stat(cx, key)) !== undefined) throw this.#existsError(key)
      const until = options.retain === true ? this.#lockedUntil(cx) : undefined
      sent = await upload(cx, body, {
        ...{ client: this.#client, retry: this.#retry, bucket: this.#settings.bucket, key, doing },
        createOnly: createOnly && this.capabilities.createOnly,
        checksums: this.capabilities.checksums,
        properties: this.#properties(until),
        plan: partPlan(this.#settings.partSize),
      })
      const stored = await this.#readBack(cx, key, sent)
      if (until !== undefined) await this.#assertLocked(cx, key, { doing, until })
      return stored
    } catch (error) {
      const ofSource = sourceError(body, key, error)
      destroySource(body, error)
      cx.signal.throwIfAborted()
      throw ofSource ?? s3Error(error, doing, { key })
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
        failure: (thrown) => s3Error(thrown, doing, { key }),
      })
    } catch (error) {
      cx.signal.throwIfAborted()
      // S3 has no ranges without bytes.
      if (asHoldfastError(error).details['status'] === 416) return this.#nothing(cx, key)
      throw error
    }
  }

  async stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined> {
    const head = await this.#head(cx, key)
    return head === undefined ? undefined : storedObject(key, head)
  }

  async *list(cx: Context, prefix: string, options: ListOptions = {}): AsyncIterable<StoredObject> {
    try {
      cx.signal.throwIfAborted()
      const listed = { client: this.#client, bucket: this.#settings.bucket, prefix }
      for await (const object of pagedList(cx, listOf(listed), options)) {
        cx.signal.throwIfAborted()
        yield object
      }
    } catch (error) {
      cx.signal.throwIfAborted()
      throw s3Error(error, `cannot list ${this.describe()}`)
    }
  }

  async delete(cx: Context, key: ObjectKey): Promise<void> {
    const doing = `cannot delete ${key} in ${this.describe()}`
    try {
      await this.#refuseLocked(cx, key, doing)
      const command = new DeleteObjectCommand({ Bucket: this.#settings.bucket, Key: key })
      await this.#client.send(command, { abortSignal: cx.signal })
    } catch (error) {
      cx.signal.throwIfAborted()
      if (statusOf(error) === 404 && serviceCodeOf(error) !== 'NoSuchBucket') return
      throw s3Error(error, doing, { key })
    }
  }

  /** Aborts uploads of parts that nobody has completed. */
  async sweep(cx: Context, olderThanMs: number, prefix = ''): Promise<number> {
    const before = cx.env.clock.now().getTime() - olderThanMs
    const Bucket = this.#settings.bucket
    let swept = 0
    try {
      for await (const { Key, UploadId, Initiated } of this.#unfinished(cx, prefix)) {
        if (Initiated === undefined || Initiated.getTime() > before) continue
        const command = new AbortMultipartUploadCommand({ Bucket, Key, UploadId })
        await this.#client.send(command, { abortSignal: cx.signal })
        swept++
      }
      return swept
    } catch (error) {
      throw s3Error(error, `cannot remove what an interrupted run left in ${this.describe()}`)
    }
  }

  close(): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  #existsError(key: ObjectKey): HoldfastError {
    return new HoldfastError('storage.exists', `${key} is already in ${this.describe()}`, {
      details: { key },
    })
  }

  #lockedUntil(cx: Context): Date | undefined {
    const { immutableFor } = this.#settings
    return immutableFor === undefined ? undefined : new Date(cx.env.clock.now().getTime() + immutableFor)
  }

  #properties(until: Date | undefined): Readonly<Record<string, unknown>> {
    const { encryption, kmsKeyId, storageClass, immutableMode = 'compliance' } = this.#settings
    return {
      ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }),
      ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
      ...(storageClass === undefined ? {} : { StorageClass: storageClass }),
      ...(until === undefined
        ? {}
        : { ObjectLockMode: immutableMode.toUpperCase(), ObjectLockRetainUntilDate: until }),
    }
  }

  /** What the service has is what was sent; of an object in one request it has said so already. */
  async #readBack(cx: Context, key: ObjectKey, sent: Uploaded): Promise<StoredObject> {
    const { bytes, modified, sha256, entityTag } = sent
    if (modified !== undefined)
      return {
        key,
        bytes,
        modified,
        ...(sha256 !== undefined && this.capabilities.checksums ? { sha256 } : {}),
      }
    const head = await this.#head(cx, key)
    if (head?.ContentLength === bytes) return storedObject(key, head)
    // Another run has put another object there in the meantime.
    if (head?.LastModified !== undefined && head.ETag !== entityTag)
      return { key, bytes, modified: head.LastModified }
    const has = head === undefined ? 'is not there' : `has ${head.ContentLength} bytes`
    throw new HoldfastError(
      'storage.failed',
      `${key} ${has} in ${this.describe()} after ${bytes} bytes were written`,
      { details: { key, passing: false } },
    )
  }

  #head(cx: Context, key: ObjectKey): Promise<HeadObjectCommandOutput | undefined> {
    const doing = `cannot look at ${key} in ${this.describe()}`
    const Bucket = this.#settings.bucket
    return this.#retry.run(cx, doing, async () => {
      try {
        const ChecksumMode = this.capabilities.checksums ? 'ENABLED' : undefined
        const command = new HeadObjectCommand({ Bucket, Key: key, ChecksumMode })
        return await this.#client.send(command, { abortSignal: cx.signal })
      } catch (error) {
        cx.signal.throwIfAborted()
        if (statusOf(error) === 404) return undefined
        throw s3Error(await this.#explained(cx, key, error), doing, { key })
      }
    })
  }

  /** The answer to HEAD has no body, and so no code: the same with one byte of the object has. */
  async #explained(cx: Context, Key: ObjectKey, error: unknown): Promise<unknown> {
    const status = statusOf(error)
    if (status === undefined || status < 400 || status >= 500) return error
    try {
      const command = new GetObjectCommand({ Bucket: this.#settings.bucket, Key, Range: 'bytes=0-0' })
      const { Body } = await this.#client.send(command, { abortSignal: cx.signal })
      await Body?.transformToByteArray()
      return error
    } catch (explained) {
      return explained
    }
  }

  async #openRead(
    cx: Context,
    Key: ObjectKey,
    { start, end }: { readonly start: number; readonly end: number },
    version: string | undefined,
  ): Promise<OpenedRead> {
    const doing = `cannot read ${Key} in ${this.describe()}`
    const whole = start === 0 && end === Number.MAX_SAFE_INTEGER
    const Range = whole ? undefined : `bytes=${start}-${end === Number.MAX_SAFE_INTEGER ? '' : end - 1}`
    try {
      const command = new GetObjectCommand({
        ...{ Bucket: this.#settings.bucket, Key },
        ...(Range === undefined ? {} : { Range }),
        ...(version === undefined ? {} : { IfMatch: version }),
      })
      const { Body, ContentLength, ETag } = await this.#client.send(command, { abortSignal: cx.signal })
      if (!(Body instanceof Readable) || ContentLength === undefined)
        throw new HoldfastError('storage.failed', `${doing}: the service gave no bytes, or not their number`)
      return { body: Body, end: start + ContentLength, version: ETag }
    } catch (error) {
      cx.signal.throwIfAborted()
      if (statusOf(error) === 412) {
        throw new HoldfastError('storage.failed', `${doing}: it was replaced while it was read`, {
          details: { key: Key, passing: false },
        })
      }
      throw s3Error(error, doing, { key: Key })
    }
  }

  async #nothing(cx: Context, key: ObjectKey): Promise<Readable> {
    if ((await this.#head(cx, key)) !== undefined) return Readable.from([])
    throw new HoldfastError('storage.not-found', `${key} is not in ${this.describe()}`, { details: { key } })
  }

  async #assertLocked(
    cx: Context,
    Key: ObjectKey,
    { doing, until }: { readonly doing: string; readonly until: Date },
  ): Promise<void> {
    const Bucket = this.#settings.bucket
    const seen = (await this.#head(cx, Key))?.ObjectLockRetainUntilDate
    const locked = isLockedUntil(seen, until) || (seen === undefined && (await this.#hidesLock(cx, Key)))
    if (locked) return
    await this.#client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal: cx.signal })
    throw notLocked(doing, Key, needsLock)
  }

  /** An account that may lock may not be allowed to see locks. */
  async #hidesLock(cx: Context, Key: ObjectKey): Promise<boolean> {
    try {
      const command = new GetObjectRetentionCommand({ Bucket: this.#settings.bucket, Key })
      await this.#client.send(command, { abortSignal: cx.signal })
      return false
    } catch (error) {
      cx.signal.throwIfAborted()
      return statusOf(error) === 403
    }
  }

  /** A plain delete would succeed: it hides the object, which is locked or held and stays. */
  async #refuseLocked(cx: Context, key: ObjectKey, doing: string): Promise<void> {
    if (this.#settings.immutableFor === undefined) return
    const head = await this.#head(cx, key)
    if (head?.ObjectLockLegalHoldStatus === 'ON')
      throw new HoldfastError('storage.retained', `${doing}: it is under a legal hold`, {
        details: { key, legalHold: true },
      })
    const until = head?.ObjectLockRetainUntilDate
    if (until === undefined || until.getTime() <= cx.env.clock.now().getTime()) return
    throw new HoldfastError('storage.retained', `${doing}: it is locked until ${until.toISOString()}`, {
      details: { key, until: until.toISOString() },
    })
  }

  async *#unfinished(cx: Context, prefix: string): AsyncIterable<MultipartUpload> {
    let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {}
    while (markers !== undefined) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        ...{ Bucket: this.#settings.bucket, ...markers },
        ...(prefix === '' ? {} : { Prefix: prefix }),
      })
      const answer = await this.#client.send(command, { abortSignal: cx.signal })
      yield* answer.Uploads ?? []
      markers = answer.IsTruncated
        ? {
            ...(answer.NextKeyMarker === undefined ? {} : { KeyMarker: answer.NextKeyMarker }),
            ...(answer.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: answer.NextUploadIdMarker }),
          }
        : undefined
    }
  }
}

function storedObject(key: ObjectKey, head: HeadObjectCommandOutput): StoredObject {
  const { ContentLength = 0, LastModified = new Date(0), ChecksumSHA256 } = head
  // Of an object in parts the service keeps the digest of their digests, which nobody else can compare.
  const whole =
    ChecksumSHA256 !== undefined && !ChecksumSHA256.includes('-') && head.ChecksumType !== 'COMPOSITE'
  return {
    ...{ key, bytes: ContentLength, modified: LastModified },
    ...(whole ? { sha256: Buffer.from(ChecksumSHA256, 'base64').toString('hex') } : {}),
  }
}
