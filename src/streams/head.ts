import type { Readable } from 'node:stream'

export interface Head {
  /** A copy: whoever gave it may use its memory again. */
  readonly bytes: Buffer
  /** What comes after it; undefined where that was all. */
  readonly rest: AsyncIterable<Buffer> | undefined
}

/** The first bytes of a stream, at least so many where there are so many. @throws the stream's error */
export async function headOf(body: Readable, wanted: number): Promise<Head> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const taken: Buffer[] = []
  for (let length = 0; length < wanted;) {
    const next = await chunks.next()
    if (next.done === true) return { bytes: Buffer.concat(taken), rest: undefined }
    const bytes = Buffer.from(next.value)
    taken.push(bytes)
    length += bytes.length
  }
  return { bytes: Buffer.concat(taken), rest: { [Symbol.asyncIterator]: () => chunks } }
}
