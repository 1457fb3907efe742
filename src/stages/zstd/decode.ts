import type { Context } from '../../env/context.js'
import type { Json } from '../../env/json.js'
import { HoldfastError } from '../../errors.js'
import { ByteReader } from '../byte-reader.js'
import { InOrder } from '../in-order.js'
import { ofPlainLength } from '../plain-length.js'
import { nextFrame, type FramePiece } from './frames.js'
import { zstdNative } from './native.js'
import { decompressingStream } from './streaming.js'

/** A frame up to these sizes is decompressed in one piece on the thread pool; a larger one is streamed. */
const wholeFrame = { storedBytes: 8 * 1024 * 1024, plainBound: 32 * 1024 * 1024 }

/** One is decompressed while the other is used; more made nothing faster, since digesting what comes out takes as long. */
const framesAtOnce = 2
/** The streams that follow hold a chunk or two each. */
const sliceBytes = 512 * 1024

/**
 * Decompresses any sequence of zstd frames. What a frame can grow to is known from its blocks before it is decompressed, so
 * that none, however hostile, makes more than 32 MiB at once.
 * @throws integrity.format, integrity.truncated, integrity.checksum; tool.missing where a large frame needs the zstd program
 */
export async function* decodeZstd(
  cx: Context,
  source: AsyncIterable<Buffer>,
  facts: Json,
): AsyncGenerator<Buffer> {
  try {
    yield* ofPlainLength(sliced(decodeFrames(cx, new ByteReader(source, 'zstd'))), facts, 'zstd')
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw damage(error)
  }
}

async function* sliced(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; at += sliceBytes) yield chunk.subarray(at, at + sliceBytes)
}

async function* decodeFrames(cx: Context, reader: ByteReader): AsyncGenerator<Buffer> {
  const { decompress } = await zstdNative()
  if (await reader.atEnd()) throw new HoldfastError('integrity.truncated', 'the zstd data are empty')
  const frames = new InOrder({ jobs: framesAtOnce, cost: wholeFrame.plainBound })
  for (let pieces; (pieces = await nextFrame(reader)) !== undefined;) {
    const start = await beginning(pieces)
    if (start.whole) {
      yield* frames.untilRoomFor(start.plainBound)
      frames.add(decompress(start.bytes), start.plainBound)
    } else {
      yield* frames.rest()
      yield* decompressingStream(cx, remaining(start.bytes, pieces))
    }
  }
  yield* frames.rest()
}

/** The whole frame where it is small, otherwise as much of it as shows that it is not. */
async function beginning(
  pieces: AsyncGenerator<FramePiece>,
): Promise<{ readonly bytes: Buffer; readonly plainBound: number; readonly whole: boolean }> {
  const parts: Buffer[] = []
  let stored = 0
  let plainBound = 0
  while (stored <= wholeFrame.storedBytes && plainBound <= wholeFrame.plainBound) {
    const next = await pieces.next()
    if (next.done === true) return { bytes: Buffer.concat(parts), plainBound, whole: true }
    for (const part of next.value.bytes) {
      parts.push(part)
      stored += part.length
    }
    plainBound += next.value.plainBound
  }
  return { bytes: Buffer.concat(parts), plainBound, whole: false }
}

async function* remaining(start: Buffer, pieces: AsyncGenerator<FramePiece>): AsyncGenerator<Buffer> {
  yield start
  for await (const piece of pieces) yield* piece.bytes
}

function damage(error: unknown): HoldfastError {
  const text = error instanceof Error ? error.message : String(error)
  return /checksum/iu.test(text)
    ? new HoldfastError('integrity.checksum', 'the zstd data do not match their checksum', { cause: error })
    : new HoldfastError('integrity.format', 'the zstd data are damaged', { cause: error })
}
