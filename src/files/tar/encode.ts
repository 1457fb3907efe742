import { isUtf8 } from 'node:buffer'
import { blockBytes, paddingOf, type EntryType, type TarEntry } from './entry.js'
import { formatPax, formatTime } from './pax.js'

const largestName = 100
const largestNumber = 0o7777777
const largestSize = 0o77777777777
const nanosPerSecond = 1_000_000_000n
const flags: Readonly<Record<WrittenEntry['type'], string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  folder: '5',
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
  const { type, mode, uid, gid, size, modifiedNs, link } = entry
  const isFolder = type === 'folder'
  const extended = extendedHeader(entry, isFolder)
  let end = at
  if (extended !== '') {
    const padded = extended.length + paddingOf(extended.length)
    headerOfExtended(extended.length).copy(buffer, end)
    buffer.fill(0, end + blockBytes, end + blockBytes + padded)
    buffer.write(extended, end + blockBytes, 'latin1')
    end += blockBytes + padded
  }
  buffer.fill(0, end, end + blockBytes)
  const named = entry.path.copy(buffer, end, 0, largestName)
  if (isFolder && named < largestName) buffer[end + named] = 0x2f
  link?.copy(buffer, end + 157, 0, largestName)
  const seconds = Number(modifiedNs / nanosPerSecond)
  finish(
    buffer,
    end,
    fields(
      mode,
      within(uid, largestNumber),
      within(gid, largestNumber),
      within(size, largestSize),
      within(seconds, largestSize),
      flags[type],
    ),
  )
  return end + blockBytes - at
}

/** Nearly all have the same length, that of a time with its nanoseconds. */
let lastExtended = { length: 0, header: Buffer.alloc(blockBytes) }

function headerOfExtended(length: number): Buffer {
  if (lastExtended.length !== length) {
    const header = Buffer.alloc(blockBytes)
    header.write('././@PaxHeader', 'latin1')
    finish(header, 0, fields(0o644, 0, 0, length, 0, 'x'))
    lastExtended = { length, header }
  }
  return lastExtended.header
}

/** What does not fit is 0 here, and stands in the extended header. */
function within(value: number, largest: number): number {
  return value < 0 || value > largest ? 0 : value
}

/** The fields from the mode to the type flag, which lie side by side; the checksum as spaces. */
function fields(mode: number, uid: number, gid: number, size: number, seconds: number, flag: string): string {
  return `${octal(mode, 7)}\0${octal(uid, 7)}\0${octal(gid, 7)}\0${octal(size, 11)}\0${octal(seconds, 11)}\0        ${flag}`
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

/** Behind the magic number and version a header of ours is zeros. */
const writtenBytes = 265

function finish(buffer: Buffer, at: number, text: string): void {
  buffer.write(text, at + 100, 'latin1')
  buffer.write('ustar\x0000', at + 257, 'latin1')
  buffer.write(`${octal(checksum(buffer, at, at + writtenBytes), 6)}\0 `, at + 148, 'latin1')
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

/** The sum of a header's bytes, those of the checksum itself taken for spaces. */
export function checksum(bytes: Uint8Array, start = 0, end = start + blockBytes): number {
  let sum = 8 * 0x20
  for (let at = start; at < start + 148; at++) sum += bytes[at] as number
  for (let at = start + 156; at < end; at++) sum += bytes[at] as number
  return sum
}
