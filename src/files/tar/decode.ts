import { HoldfastError } from '../../errors.js'
import { checksum } from './encode.js'
import { blockBytes, type EntryType } from './entry.js'

/** A header block as it stands, with the records of extended headers not yet applied. */
export interface Header {
  readonly path: Buffer
  /** The type flag's letter: `0`, `x`, `L`. */
  readonly flag: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly seconds: number
  readonly link: Buffer
}

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

export function entryType({ flag, path }: Header): EntryType {
  // Before ustar a slash at the end was all that told a folder.
  if (types[flag] === 'file' && path.at(-1) === 0x2f) return 'folder'
  return types[flag] ?? 'other'
}

export function isZeros(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false
  return true
}

/** Whether a block is a header, by its checksum; some old programs have summed signed bytes. */
export function isHeader(block: Uint8Array): boolean {
  if (block.length < blockBytes) return false
  const digits = /^[ 0]*([0-7]+)[ \0]/u.exec(Buffer.from(block.subarray(148, 156)).toString('latin1'))?.[1]
  if (digits === undefined) return false
  const expected = Number.parseInt(digits, 8)
  return checksum(block) === expected || signedChecksum(block) === expected
}

function signedChecksum(block: Uint8Array): number {
  const fields = [block.subarray(0, 148), block.subarray(156, blockBytes)]
  return fields.reduce(
    (sum, field) => new Int8Array(field).reduce((total, each) => total + each, sum),
    8 * 0x20,
  )
}

/** @throws integrity.format */
export function decodeHeader(block: Buffer): Header {
  if (!isHeader(block)) throw new HoldfastError('integrity.format', 'a header of the tar archive is damaged')
  const name = textField(block, 0, 100)
  // Only in ustar; GNU tar keeps other things there.
  const prefix =
    block.toString('latin1', 257, 263) === 'ustar\0' ? textField(block, 345, 155) : Buffer.alloc(0)
  return {
    path: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    flag: block.toString('latin1', 156, 157),
    mode: numberField(block, 100, 8) & 0o7777,
    uid: numberField(block, 108, 8),
    gid: numberField(block, 116, 8),
    size: sizeField(block, 124),
    seconds: numberField(block, 136, 12),
    link: textField(block, 157, 100),
  }
}

function textField(block: Buffer, at: number, length: number): Buffer {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return Buffer.from(end < 0 ? field : field.subarray(0, end))
}

/** A size or an offset, which is never negative. @throws integrity.format */
export function sizeField(block: Buffer, at: number): number {
  const size = numberField(block, at, 12)
  if (Number.isSafeInteger(size) && size >= 0) return size
  throw new HoldfastError('integrity.format', 'a size in the tar archive is absurd')
}

/** Octal digits; or, where they do not suffice, two's complement with the highest bit set (GNU tar, star). */
function numberField(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length)
  const first = field[0] as number
  if ((first & 0x80) === 0) {
    const digits = /^[ \0]*([0-7]*)[ \0]?/u.exec(field.toString('latin1'))?.[1] ?? ''
    return digits === '' ? 0 : Number.parseInt(digits, 8)
  }
  let value = BigInt(first & 0x7f)
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte)
  return Number(BigInt.asIntN(length * 8 - 1, value))
}
