import type { Readable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { partPlan } from '../part-plan.js'
import { sendParts, type Part } from '../parts.js'
import { remoteError } from '../remote-errors.js'
import type { Retry } from '../retry.js'
import type { ObjectKey } from '../storage.js'
import { answerError, type GcsRequest, type GcsService } from './service.js'

export interface GcsUpload {
  readonly service: GcsService
  readonly retry: Retry
  readonly key: ObjectKey
  /** `cannot write shop/app.dump in gcs backups` */
  readonly doing: string
  readonly createOnly: boolean
  /** Class and retention of the new object. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/**
 * Sends a stream as a resumable upload, part after part; the object is there when the last one is. What has no last part is not
 * visible, costs nothing, and is forgotten by the service after a week.
 * @returns the service's description of the object
 */
export async function upload(cx: Context, body: Readable, target: GcsUpload): Promise<unknown> {
  const session = new Session(cx, target)
  // The service takes the parts of an upload one after the other.
  await sendParts(cx, body, { ...partPlan(), atOnce: () => 1 }, (part, sending) =>
    session.send(part, sending),
  )
  return session.stored
}

class Session {
  readonly #cx: Context
  readonly #target: GcsUpload
  #uri: string | undefined
  #sent = 0
  stored: unknown

  constructor(cx: Context, target: GcsUpload) {
    this.#cx = cx
    this.#target = target
  }

  async send({ index, bytes, last }: Part, cx: Context): Promise<void> {
    const { signal } = cx
    if (index === 0 && last) {
      this.stored = await this.#try(cx, () => this.#sendWhole(bytes, signal))
      return
    }
    this.#uri ??= await this.#try(cx, () => this.#begin(signal))
    const start = this.#sent
    let tried = false
    await this.#try(cx, async () => {
      // After a failure only the service knows how much of the part has come.
      const from = tried ? await this.#received(start, start + bytes.length, last, signal) : start
      tried = true
      if (from !== undefined) await this.#put(bytes.subarray(from - start), from, last, signal)
    })
    this.#sent += bytes.length
  }

  /** A small object, in one request: what is known of it, and its bytes (RFC 2387). */
  async #sendWhole(bytes: Buffer, signal: AbortSignal): Promise<unknown> {
    const { key, metadata } = this.#target
    const boundary = `holdfast-${Buffer.from(this.#cx.env.randomBytes(16)).toString('hex')}`
    const head = [
      `--${boundary}`,
      'content-type: application/json',
      '',
      JSON.stringify({ name: key, ...metadata }),
      `--${boundary}`,
      'content-type: application/octet-stream',
      '',
      '',
    ].join('\r\n')
    const response = await this.#ask({
      method: 'POST',
      url: this.#beginning('multipart'),
      headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      body: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
      signal,
    })
    if (!response.ok) throw await this.#error(response)
    return response.json()
  }

  #beginning(uploadType: 'multipart' | 'resumable'): string {
    const { key, createOnly } = this.#target
    const query = new URLSearchParams({ uploadType, name: key })
    if (createOnly) query.set('ifGenerationMatch', '0')
    return `o?${query.toString()}`
  }

  async #begin(signal: AbortSignal): Promise<string> {
    const { key, metadata } = this.#target
    const response = await this.#ask({
      method: 'POST',
      url: this.#beginning('resumable'),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: key, ...metadata }),
      signal,
    })
    if (!response.ok) throw await this.#error(response)
    await response.body?.cancel()
    const uri = response.headers.get('location')
    if (uri === null)
      throw new HoldfastError('storage.failed', `${this.#target.doing}: the service began no upload`)
    return uri
  }

  async #put(bytes: Buffer, from: number, last: boolean, signal: AbortSignal): Promise<void> {
    const end = from + bytes.length
    const range = bytes.length === 0 ? '*' : `${from}-${end - 1}`
    const response = await this.#ask({
      method: 'PUT',
      url: this.#uri ?? '',
      headers: { 'content-range': `bytes ${range}/${last ? end : '*'}` },
      body: bytes,
      signal,
    })
    await this.#take(response, last)
  }

  /** From where on the bytes are still wanted; undefined where the service has the object already. */
  async #received(
    start: number,
    end: number,
    last: boolean,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const response = await this.#ask({
      method: 'PUT',
      url: this.#uri ?? '',
      headers: { 'content-range': `bytes */${last ? end : '*'}` },
      signal,
    })
    if (response.status !== 308) {
      await this.#take(response, last)
      return undefined
    }
    await response.body?.cancel()
    const has = Number(/bytes=0-(\d+)/u.exec(response.headers.get('range') ?? '')?.[1] ?? -1) + 1
    if (has >= start && has <= end) return has
    throw new HoldfastError(
      'storage.failed',
      `${this.#target.doing}: the service has lost what it had taken`,
      {
        details: { key: this.#target.key, passing: false },
      },
    )
  }

  async #take(response: Response, last: boolean): Promise<void> {
    if (last && response.ok) {
      this.stored = await response.json()
      return
    }
    if (!last && (response.status === 308 || response.ok)) {
      await response.body?.cancel()
      return
    }
    throw await this.#error(response)
  }

  async #ask(request: GcsRequest): Promise<Response> {
    const { service, doing, key } = this.#target
    try {
      return await service.upload(request)
    } catch (error) {
      throw remoteError({ thrown: error, doing, details: { key } })
    }
  }

  #error(response: Response): Promise<HoldfastError> {
    return answerError(response, this.#target.doing, { key: this.#target.key })
  }

  #try<Result>(cx: Context, work: () => Promise<Result>): Promise<Result> {
    return this.#target.retry.run(cx, this.#target.doing, work)
  }
}
