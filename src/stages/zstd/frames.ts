import { HoldfastError } from '../../errors.js'
import type { ByteReader } from '../byte-reader.js'

/*
 * Finds where zstd frames begin and end without decompressing them: RFC 8878, sections 3.1.1 (frames and blocks) and 3.1.2
 * (skippable frames).
 */

const magic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const skippableMask = 0xfffffff0
const maxBlockBytes = 128 * 1024
/** What the zstd program accepts without being asked for more. */
const maxWindowBytes = 128 * 1024 * 1024
const blockHeaderBytes = 3
const checksumBytes = 4

export function startsWithFrame(head: Uint8Array): boolean {
  if (head.length < 4) return false
  const number = Buffer.from(head.buffer, head.byteOffset, 4).readUInt32LE()
  return number === magic || isSkippable(number)
}

/** A piece of a frame: its header, or a block with its header (the last with the checksum). */
export interface FramePiece {
  /** One after the other; views of the source's chunks as far as may be. */
  readonly bytes: readonly Buffer[]
  /** The most bytes it can decompress to. */
  readonly plainBound: number
}

/**
 * The next frame in pieces, skippable ones passed over; `undefined` at the end of the data. The pieces have to be taken to
 * their end before the next call.
 * @throws integrity.format; integrity.truncated, also from the pieces
 */
export async function nextFrame(reader: ByteReader): Promise<AsyncGenerator<FramePiece> | undefined> {
  while (!(await reader.atEnd())) {
    const start = await reader.takeUpTo(4)
    if (!beginsMagic(start)) throw damaged('these are not zstd data')
    if (start.length < 4) throw new HoldfastError('integrity.truncated', 'the zstd data end too early')
    if (start.readUInt32LE() === magic) return pieces(reader, start)
    await skip(reader, (await reader.take(4)).readUInt32LE())
  }
  return undefined
}

function isSkippable(number: number): boolean {
  return (number & skippableMask) >>> 0 === skippableMagic
}

/** Whether up to four bytes are a magic number, or the beginning of one. */
function beginsMagic(start: Buffer): boolean {
  if (start.length === 4) return startsWithFrame(start)
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
  return frame.subarray(0, start.length).equals(start) || ((start[0] as number) & 0xf0) === 0x50
}

async function skip(reader: ByteReader, length: number): Promise<void> {
  const step = 1024 * 1024
  for (let left = length; left > 0; left -= step) await reader.take(Math.min(left, step))
}

async function* pieces(reader: ByteReader, start: Buffer): AsyncGenerator<FramePiece> {
  const header = await readHeader(reader)
  yield { bytes: [start, header.bytes], plainBound: 0 }
  for (let last = false; !last;) {
    const head = await reader.take(blockHeaderBytes)
    const block = readBlockHeader(head, Math.min(maxBlockBytes, header.windowBytes))
    last = block.last
    const rest = await reader.take(block.storedBytes + (last && header.checksum ? checksumBytes : 0))
    yield { bytes: [head, rest], plainBound: block.plainBound }
  }
}

interface FrameHeader {
  readonly bytes: Buffer
  readonly windowBytes: number
  readonly checksum: boolean
}

/** Section 3.1.1.1: descriptor, window descriptor, dictionary id, content size. */
async function readHeader(reader: ByteReader): Promise<FrameHeader> {
  const descriptor = (await reader.take(1))[0] as number
  const sizeFlag = descriptor >> 6
  const singleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw damaged('a zstd frame has an unknown header')
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][sizeFlag] as number
  const window = singleSegment ? Buffer.alloc(0) : await reader.take(1)
  const dictionary = await reader.take(dictionaryBytes)
  const size = await reader.take(sizeBytes)
  if (dictionary.some((byte) => byte !== 0))
    throw damaged('a zstd frame needs a dictionary, which is not kept with it')
  const windowBytes = window[0] === undefined ? contentBytes(size) : windowSize(window[0])
  if (windowBytes > maxWindowBytes)
    throw new HoldfastError(
      'integrity.format',
      `a zstd frame needs a window of ${windowBytes} bytes, over the limit of ${maxWindowBytes}`,
      { hint: 'where that is right, decompress it first: zstd -d --long=31 FILE' },
    )
  return {
    bytes: Buffer.concat([Buffer.from([descriptor]), window, dictionary, size]),
    windowBytes,
    checksum: (descriptor & 0x04) !== 0,
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function contentBytes(field: Buffer): number {
  if (field.length === 1) return field.readUInt8()
  if (field.length === 2) return field.readUInt16LE() + 256
  if (field.length === 4) return field.readUInt32LE()
  return Number(field.readBigUInt64LE())
}

interface Block {
  readonly last: boolean
  readonly storedBytes: number
  readonly plainBound: number
}

/** Section 3.1.1.2: raw, run-length and compressed blocks; none is larger than 128 KiB on either side. */
function readBlockHeader(head: Buffer, limit: number): Block {
  const number = head.readUIntLE(0, blockHeaderBytes)
  const last = (number & 1) === 1
  const type = (number >> 1) & 3
  const size = number >> 3
  if (type === 3 || size > limit) throw damaged('a zstd block has an impossible header')
  if (type === 0) return { last, storedBytes: size, plainBound: size }
  if (type === 1) return { last, storedBytes: 1, plainBound: size }
  return { last, storedBytes: size, plainBound: limit }
}

function damaged(message: string): HoldfastError {
  return new HoldfastError('integrity.format', message)
}
