import { HoldfastError } from '../../errors.js'
import { checksum } from './encode.js'
import { blockBytes, type EntryType } from './entry.js'

/** No name and no set of extended records is larger; what claims to be is not read into memory. */
export const largestMeta = 1024 * 1024

/** What a header block says of its entry's place in the archive. */
export interface Layout {
  /** The type flag's letter: `0`, `x`, `L`. */
  readonly flag: string
  readonly type: EntryType
  readonly size: number
}

export interface Header extends Layout {
  /** Of the entry itself. */
  readonly about: Description
}

/** The rest of a header block, with the records of extended headers not yet applied. */
export interface Description {
  readonly path: Buffer
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly seconds: number
  readonly link: Buffer
}

const nameBytes = 100
const nothing = Buffer.alloc(0)

const types: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'folder',
  '6': 'fifo',
  '7': 'file',
  // GNU: a sparse file, and a folder with a list of its names as data.
  S: 'file',
  D: 'folder',
}

function entryType(flag: string, block: Buffer, at: number): EntryType {
  const type = types[flag] ?? 'other'
  if (type !== 'file') return type
  // Before ustar a slash at the end was all that told a folder.
  let end = at
  while (end < at + nameBytes && block[end] !== 0) end++
  return end > at && block[end - 1] === 0x2f ? 'folder' : 'file'
}

/** How many bytes follow a header in the archive. */
export function storedBytes(flag: string, type: EntryType, size: number): number {
  // A volume's label is no entry.
  return flag !== 'V' && (type === 'file' || type === 'other') ? size : 0
}

export function isZeros(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false
  return true
}

/** Whether a block is a header, by its checksum; some old programs have summed signed bytes. */
export function isHeader(bytes: Uint8Array, at = 0): boolean {
  if (bytes.length - at < blockBytes) return false
  const expected = octalNumber(bytes, at + 148, 8)
  return expected > 0 && (checksum(bytes, at) === expected || signedChecksum(bytes, at) === expected)
}

function signedChecksum(bytes: Uint8Array, at: number): number {
  const fields = [bytes.subarray(at, at + 148), bytes.subarray(at + 156, at + blockBytes)]
  return fields.reduce(
    (sum, field) => new Int8Array(field).reduce((total, each) => total + each, sum),
    8 * 0x20,
  )
}

/** @throws integrity.format */
export function decodeHeader(block: Buffer): Header {
  return { ...decodeLayout(block, 0), about: description(block) }
}

/** @throws integrity.format */
export function decodeLayout(bytes: Buffer, at: number): Layout {
  if (!isHeader(bytes, at))
    throw new HoldfastError('integrity.format', 'a header of the tar archive is damaged')
  const flag = String.fromCharCode(bytes[at + 156] as number)
  return { flag, type: entryType(flag, bytes, at), size: sizeField(bytes, at + 124) }
}

function description(block: Buffer): Description {
  const name = textField(block, 0, nameBytes)
  // Only in ustar; GNU tar keeps other things there.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textField(block, 345, 155) : nothing
  return {
    path: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    mode: numberField(block, 100, 8) & 0o7777,
    uid: numberField(block, 108, 8),
    gid: numberField(block, 116, 8),
    seconds: numberField(block, 136, 12),
    link: textField(block, 157, 100),
  }
}

function textField(block: Buffer, at: number, length: number): Buffer {
  if (block[at] === 0) return nothing
  const end = block.indexOf(0, at)
  return Buffer.from(block.subarray(at, end < 0 ? at + length : Math.min(end, at + length)))
}

/** A size or an offset, which is never negative. @throws integrity.format */
export function sizeField(block: Buffer, at: number): number {
  const size = numberField(block, at, 12)
  if (Number.isSafeInteger(size) && size >= 0) return size
  throw new HoldfastError('integrity.format', 'a size in the tar archive is absurd')
}

/** Octal digits; or, where they do not suffice, two's complement with the highest bit set (GNU tar, star). */
function numberField(block: Buffer, at: number, length: number): number {
  const first = block[at] as number
  if ((first & 0x80) === 0) return octalNumber(block, at, length)
  let value = BigInt(first & 0x7f)
  for (const byte of block.subarray(at + 1, at + length)) value = (value << 8n) | BigInt(byte)
  return Number(BigInt.asIntN(length * 8 - 1, value))
}

/** Digits after spaces or NULs, up to whatever is no digit; 0 where there are none. */
function octalNumber(block: Uint8Array, start: number, length: number): number {
  let at = start
  const end = start + length
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++
  let value = 0
  for (; at < end; at++) {
    const digit = (block[at] as number) - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  return value
}
