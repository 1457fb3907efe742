import { HoldfastError } from '../../errors.js'
import type { ByteReader } from '../byte-reader.js'

export const versionLine = Buffer.from('age-encryption.org/v1\n')
const macLineStart = Buffer.from('--- ')
/** A header has some 150 bytes for each recipient, 1600 for a post-quantum one. */
const maxHeaderBytes = 1024 * 1024

/** Takes the header, up to and with the line of its MAC. @throws integrity.format, integrity.truncated */
export async function takeHeader(reader: ByteReader): Promise<Buffer> {
  const start = await reader.takeUpTo(versionLine.length)
  if (!start.equals(versionLine.subarray(0, start.length)))
    throw new HoldfastError('integrity.format', 'these are not age data')
  if (start.length < versionLine.length)
    throw new HoldfastError('integrity.truncated', 'the age data end too early')
  const lines = [start]
  let bytes = start.length
  for (let line = start; !line.subarray(0, macLineStart.length).equals(macLineStart);) {
    line = await takeLine(reader)
    bytes += line.length
    if (bytes > maxHeaderBytes) throw tooLong()
    lines.push(line)
  }
  return Buffer.concat(lines)
}

async function takeLine(reader: ByteReader): Promise<Buffer> {
  for (let length = 256; length <= maxHeaderBytes; length *= 2) {
    const seen = await reader.peek(length)
    const end = seen.indexOf(0x0a)
    if (end >= 0) return reader.take(end + 1)
    if (seen.length < length) return reader.take(length)
  }
  throw tooLong()
}

function tooLong(): HoldfastError {
  return new HoldfastError('integrity.format', 'the age header is too long to be one')
}
