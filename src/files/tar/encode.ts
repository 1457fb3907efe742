import { isUtf8 } from 'node:buffer'
import { blockBytes, paddingOf, type EntryType, type TarEntry } from './entry.js'
import { formatPax, formatTime } from './pax.js'

const largestName = 100
const largestNumber = 0o7777777
const largestSize = 0o77777777777
const nanosPerSecond = 1_000_000_000n
const checksumField = 148
/** In each half of a word the lower byte. */
const evenBytes = 0x00ff00ff
const [space, slash, zero] = [0x20, 0x2f, 0x30]
const flags: Readonly<Record<WrittenEntry['type'], number>> = {
  file: zero,
  hardlink: zero + 1,
  symlink: zero + 2,
  folder: zero + 5,
}

/** The kinds of entries that are written. */
export type WrittenEntry = TarEntry & { readonly type: Exclude<EntryType, 'device' | 'fifo' | 'other'> }

/** No header is longer: two paths of 4 KiB, which is as much as Linux takes, and what is around them. */
export const largestHeader = 16 * 1024

/** What ends an archive: two blocks of zeros. */
export const endOfArchive = Buffer.alloc(2 * blockBytes)

/** An entry's header as a buffer of its own. */
export function headerOf(entry: WrittenEntry): Buffer {
  const buffer = Buffer.alloc(largestHeader)
  return buffer.subarray(0, encodeHeader(entry, buffer, 0))
}

/**
 * The header of a file whose size is not known yet: three blocks for every size, so that it can be written over. What varies stands in an
 * extended header that is always there.
 * @throws RangeError for a path of more than 300 bytes
 */
export function headerOfUnknownSize(entry: WrittenEntry): Buffer {
  const { path, size, modifiedNs } = entry
  if (path.length > 300) throw new RangeError('the path is too long for a header of three blocks')
  const records = formatPax('path', path.toString('latin1')) + formatPax('size', String(size))
  const plain = headerOf({
    ...entry,
    path: path.subarray(0, largestName),
    size: within(size, largestSize),
    modifiedNs: (modifiedNs / nanosPerSecond) * nanosPerSecond,
  })
  const text = Buffer.alloc(blockBytes)
  text.write(records, 'latin1')
  return Buffer.concat([headerOfExtended(records.length), text, plain])
}

/**
 * Puts an entry's header into a buffer, in pax format (POSIX.1-2017, pax): what does not fit into the ustar header, such as
 * nanoseconds, a name of more than 100 bytes or a size over 8 GiB, stands in an extended header before it. Names that fit are raw
 * bytes in the ustar header, as GNU tar writes them.
 *
 * There are hundred thousands of them, so each is a few writes into memory that is there already.
 * @returns how many bytes it takes
 */
export function encodeHeader(entry: WrittenEntry, buffer: Buffer, at: number): number {
  const extended = extendedHeader(entry, entry.type === 'folder')
  const end = extended === '' ? at : putExtended(extended, buffer, at)
  return putHeader(entry, buffer, end) - at
}

function putExtended(records: string, buffer: Buffer, at: number): number {
  buffer.set(headerOfExtended(records.length), at)
  const start = at + blockBytes
  const end = start + records.length + paddingOf(records.length)
  buffer.fill(0, start, end)
  buffer.write(records, start, 'latin1')
  return end
}

/** Nearly all have the same length, that of a time with its nanoseconds. */
let lastExtended = { length: 0, header: Buffer.alloc(blockBytes) }

function headerOfExtended(length: number): Buffer {
  if (lastExtended.length !== length) {
    const header = Buffer.alloc(blockBytes)
    const entry = { path: extendedName, type: 'file', mode: 0o644, uid: 0, gid: 0, size: length } as const
    putHeader({ ...entry, modifiedNs: 0n }, header, 0, extendedFlag)
    lastExtended = { length, header }
  }
  return lastExtended.header
}

const extendedName = Buffer.from('././@PaxHeader')
const extendedFlag = 'x'.charCodeAt(0)

/** What all headers have in common. */
const emptyHeader = Buffer.alloc(blockBytes)
emptyHeader.write('ustar\x0000', 257, 'latin1')
const emptySum = checksum(emptyHeader)

function putHeader(entry: WrittenEntry, buffer: Buffer, at: number, flag = flags[entry.type]): number {
  const { path, type, mode, uid, gid, size, modifiedNs, link } = entry
  buffer.set(emptyHeader, at)
  let sum = emptySum + flag + putBytes(path, buffer, at)
  if (type === 'folder' && path.length < largestName) {
    buffer[at + path.length] = slash
    sum += slash
  }
  sum += putOctal(mode, buffer, at + 100, 7)
  sum += putOctal(within(uid, largestNumber), buffer, at + 108, 7)
  sum += putOctal(within(gid, largestNumber), buffer, at + 116, 7)
  sum += putOctal(within(size, largestSize), buffer, at + 124, 11)
  sum += putOctal(within(Number(modifiedNs / nanosPerSecond), largestSize), buffer, at + 136, 11)
  buffer[at + 156] = flag
  if (link !== undefined) sum += putBytes(link, buffer, at + 157)
  putOctal(sum, buffer, at + checksumField, 6)
  buffer[at + checksumField + 7] = space
  return at + blockBytes
}

/** What does not fit is 0 here, and stands in the extended header. */
function within(value: number, largest: number): number {
  return value < 0 || value > largest ? 0 : value
}

/** As much of a name as a header has room for. @returns the sum of its bytes */
function putBytes(name: Buffer, buffer: Buffer, at: number): number {
  const length = Math.min(name.length, largestName)
  let sum = 0
  for (let index = 0; index < length; index++) {
    const byte = name[index] as number
    buffer[at + index] = byte
    sum += byte
  }
  return sum
}

/** @returns the sum of the digits' bytes */
function putOctal(value: number, buffer: Buffer, at: number, digits: number): number {
  let left = value
  let sum = 0
  for (let place = at + digits - 1; place >= at; place--) {
    const digit = zero + (left % 8)
    buffer[place] = digit
    sum += digit
    left = Math.floor(left / 8)
  }
  return sum
}

function extendedHeader({ path, link, uid, gid, size, modifiedNs }: WrittenEntry, isFolder: boolean): string {
  const long = path.length + (isFolder ? 1 : 0) > largestName
  const longLink = link !== undefined && link.length > largestName
  let records = ''
  if ((long && !isUtf8(path)) || (longLink && !isUtf8(link))) records += formatPax('hdrcharset', 'BINARY')
  if (long) records += formatPax('path', `${path.toString('latin1')}${isFolder ? '/' : ''}`)
  if (longLink) records += formatPax('linkpath', link.toString('latin1'))
  if (uid > largestNumber) records += formatPax('uid', String(uid))
  if (gid > largestNumber) records += formatPax('gid', String(gid))
  if (size > largestSize) records += formatPax('size', String(size))
  const plainTime =
    modifiedNs % nanosPerSecond === 0n &&
    modifiedNs >= 0n &&
    modifiedNs <= BigInt(largestSize) * nanosPerSecond
  return plainTime ? records : records + formatPax('mtime', formatTime(modifiedNs))
}

/**
 * The sum of a header's bytes, those of the checksum itself taken for spaces. Four at a time, two in each half of a word, which has
 * room for the 256 that come to it: an archive may have hundred thousands of headers.
 */
export function checksum(bytes: Uint8Array, start = 0): number {
  const words = new DataView(bytes.buffer, bytes.byteOffset + start, blockBytes)
  let halves = 0
  for (let at = 0; at < blockBytes; at += 4) {
    const word = words.getInt32(at, true)
    halves = (halves + (word & evenBytes) + ((word >>> 8) & evenBytes)) | 0
  }
  for (let at = checksumField; at < checksumField + 8; at += 4) {
    const word = words.getInt32(at, true)
    halves = (halves - (word & evenBytes) - ((word >>> 8) & evenBytes)) | 0
  }
  return 8 * space + (halves & 0xffff) + (halves >>> 16)
}
