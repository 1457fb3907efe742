import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { sendParts, type Part, type PartPlan } from '../parts.js'
import type { Retry } from '../retry.js'
import type { ObjectKey } from '../storage.js'
import { s3Error, serviceCodeOf } from './errors.js'

/** A person may be waiting for the end of what they have interrupted. */
const longestAbortMs = 10_000

/** What all requests of one upload need. */
export interface UploadTarget {
  readonly client: S3Client
  readonly retry: Retry
  readonly bucket: string
  readonly key: ObjectKey
  /** `cannot write shop/app.dump in s3 backups` */
  readonly doing: string
  readonly createOnly: boolean
  readonly checksums: boolean
  /** Encryption, class and lock of the new object. */
  readonly properties: Readonly<Record<string, unknown>>
  readonly plan: PartPlan
}

/** What has been sent, and what the service said to it. */
export interface Uploaded {
  readonly bytes: number
  /** Of an object that was sent in one request. */
  readonly sha256?: string
  /** The service's clock when it had taken such an object. */
  readonly modified?: Date
  /** Tells this object from another of the same key. */
  readonly entityTag?: string | undefined
}

/**
 * Sends a stream as one object, or as the parts of one, and makes it visible when it is whole. An upload that fails or is
 * interrupted is aborted, so that its parts cost nothing.
 */
export async function upload(cx: Context, body: Readable, target: UploadTarget): Promise<Uploaded> {
  const parts = new MultipartUpload(cx, target)
  let whole: Uploaded | undefined
  try {
    await sendParts(cx, body, target.plan, async (part, sending) => {
      if (part.index === 0 && part.last) whole = await putWhole(sending, target, part)
      else await parts.send(part, sending)
    })
    return whole ?? (await parts.complete())
  } catch (error) {
    await parts.abort()
    throw error
  }
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

async function putWhole(
  cx: Context,
  { client, retry, doing, bucket, key, createOnly, checksums, properties }: UploadTarget,
  { bytes }: Part,
): Promise<Uploaded> {
  const digest = sha256(bytes)
  const make = (): PutObjectCommand =>
    new PutObjectCommand({
      ...{ Bucket: bucket, Key: key, Body: bytes, ContentLength: bytes.length },
      ...(checksums ? checksumOf(digest) : {}),
      ...(createOnly ? { IfNoneMatch: '*' } : {}),
      ...properties,
    })
  const { modified, entityTag } = await retry.run(cx, doing, async () => {
    try {
      const command = make()
      signWith(command, digest)
      const answered = answerDate(command)
      const { ETag } = await client.send(command, { abortSignal: cx.signal })
      return { modified: answered() ?? cx.env.clock.now(), entityTag: ETag }
    } catch (error) {
      throw s3Error(error, doing, { key })
    }
  })
  return { bytes: bytes.length, sha256: digest.toString('hex'), modified, entityTag }
}

function checksumOf(digest: Buffer) {
  return { ChecksumAlgorithm: 'SHA256' as const, ChecksumSHA256: digest.toString('base64') }
}

/** The client would read the whole body once more, to sign its digest. */
function signWith(command: PutObjectCommand | UploadPartCommand, digest: Buffer): void {
  const { middlewareStack } = command as Pick<PutObjectCommand, 'middlewareStack'>
  middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> }
      headers['x-amz-content-sha256'] = digest.toString('hex')
      return next(args)
    },
    { step: 'build', name: 'holdfastBodyDigest' },
  )
}

/** The `Date` of the answer, which the client does not give. */
function answerDate(command: PutObjectCommand): () => Date | undefined {
  let date: Date | undefined
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> }
      const said = Date.parse(headers?.['date'] ?? '')
      if (!Number.isNaN(said)) date = new Date(said)
      return result
    },
    { step: 'deserialize', name: 'holdfastAnswerDate' },
  )
  return () => date
}

class MultipartUpload {
  readonly #cx: Context
  readonly #target: UploadTarget
  readonly #parts: (CompletedPart & { readonly digest: Buffer })[] = []
  #id: Promise<string> | undefined
  #bytes = 0

  constructor(cx: Context, target: UploadTarget) {
    this.#cx = cx
    this.#target = target
  }

  async send({ index, bytes }: Part, cx: Context): Promise<void> {
    const { bucket, key, checksums } = this.#target
    this.#id ??= this.#begin()
    const UploadId = await this.#id
    const digest = sha256(bytes)
    const PartNumber = index + 1
    const { ETag } = await this.#request(
      cx,
      () => {
        const command = new UploadPartCommand({
          ...{ Bucket: bucket, Key: key, UploadId, PartNumber },
          ...{ Body: bytes, ContentLength: bytes.length },
          ...(checksums ? checksumOf(digest) : {}),
        })
        signWith(command, digest)
        return command
      },
      (command) => this.#target.client.send(command, { abortSignal: cx.signal }),
    )
    this.#bytes += bytes.length
    this.#parts.push({
      ...{ PartNumber, digest },
      ...(checksums ? { ChecksumSHA256: digest.toString('base64') } : {}),
      ...(ETag === undefined ? {} : { ETag }),
    })
  }

  async complete(): Promise<Uploaded> {
    const { bucket, key, createOnly } = this.#target
    const parts = [...this.#parts].sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
    const UploadId = await this.#id
    const checksum = `${sha256(Buffer.concat(parts.map(({ digest }) => digest))).toString('base64')}-${parts.length}`
    const answer = await this.#request(
      this.#cx,
      () =>
        new CompleteMultipartUploadCommand({
          ...{ Bucket: bucket, Key: key, UploadId },
          MultipartUpload: { Parts: parts.map(({ digest: _digest, ...part }) => part) },
          ...(createOnly ? { IfNoneMatch: '*' } : {}),
        }),
      (command) => this.#target.client.send(command, { abortSignal: this.#cx.signal }),
    )
    if (answer.ChecksumSHA256 !== undefined && compositeOf(answer.ChecksumSHA256) !== compositeOf(checksum)) {
      throw new HoldfastError('integrity.checksum', `${this.#target.doing}: the service has other bytes`, {
        details: { key },
      })
    }
    this.#id = undefined
    return { bytes: this.#bytes, entityTag: answer.ETag }
  }

  /** Also when the work was interrupted; what cannot be reached now is found by a later sweep. */
  async abort(): Promise<void> {
    const { client, bucket, key, retry } = this.#target
    const UploadId = await this.#id?.catch(() => undefined)
    if (UploadId === undefined) return
    const doing = `cannot abort the unfinished upload of ${key}`
    const cx = { ...this.#cx, signal: AbortSignal.timeout(longestAbortMs) }
    const abort = () => client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }))
    try {
      await retry.run(cx, doing, () =>
        abort().catch((error: unknown) => {
          if (serviceCodeOf(error) !== 'NoSuchUpload') throw s3Error(error, doing)
        }),
      )
    } catch (error) {
      this.#cx.emit({ type: 'notice', level: 'warning', message: asHoldfastError(error).message })
    }
  }

  async #begin(): Promise<string> {
    const { bucket, key, checksums, properties, doing } = this.#target
    const { UploadId } = await this.#request(
      this.#cx,
      () =>
        new CreateMultipartUploadCommand({
          ...{ Bucket: bucket, Key: key },
          ...(checksums ? { ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' } : {}),
          ...properties,
        }),
      // Not interrupted in the middle: an upload whose id is not known could not be aborted.
      (command) => this.#target.client.send(command),
    )
    if (UploadId === undefined)
      throw new HoldfastError('storage.failed', `${doing}: the service gave no id for an upload`)
    return UploadId
  }

  #request<Command, Answer>(
    cx: Context,
    make: () => Command,
    send: (command: Command) => Promise<Answer>,
  ): Promise<Answer> {
    const { retry, doing, key } = this.#target
    return retry.run(cx, doing, () =>
      send(make()).catch((error: unknown) => {
        throw s3Error(error, doing, { key })
      }),
    )
  }
}

/** Some services leave the number of parts out. */
function compositeOf(checksum: string): string {
  return checksum.replace(/-\d+$/u, '')
}
