import { createHash } from 'node:crypto'
import { HoldfastError } from '../errors.js'
import type { ObjectKey } from './storage.js'

/** What ext4, APFS and NTFS (in UTF-16 units, never more) allow in one name. */
const largestSegmentBytes = 255
/** The limit of S3, Google Cloud Storage and Azure for a whole key. */
const largestKeyBytes = 1_024
/** What `safeSegment` gives at most, so that a suffix still fits. */
const largestSafeSegmentBytes = 200

/**
 * The text as a key, if no storage can be led astray by it: relative, in `/`-separated segments that mean the same on every
 * platform.
 *
 * @example
 * const key = objectKey('shop/20261120T130102345Z-k3f9q2.manifest.json')
 * @throws storage.unsafe-key
 */
export function objectKey(text: string): ObjectKey {
  const fault = faultOf(text)
  if (fault === undefined) return text as ObjectKey
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text
  // JSON escapes what a terminal would obey, except these.
  const quoted = JSON.stringify(shown).replace(/\p{Cc}/gu, '\ufffd')
  throw new HoldfastError('storage.unsafe-key', `object name ${quoted} ${fault}`, {
    details: { key: shown },
  })
}

/** Whether `objectKey` would take the text. */
export function isObjectKey(text: string): text is ObjectKey {
  return faultOf(text) === undefined
}

function faultOf(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (text.startsWith('/')) return 'is absolute'
  if (/^[a-z]:/iu.test(text)) return 'begins with a drive letter'
  if (text.includes('\\')) return 'holds a backslash'
  if (/\p{Cc}/u.test(text)) return 'holds a control character'
  if (/\p{Cs}/u.test(text)) return 'is not valid Unicode'
  if (Buffer.byteLength(text) > largestKeyBytes) return `is longer than ${largestKeyBytes} bytes`
  for (const segment of text.split('/')) {
    if (segment === '') return 'has an empty segment'
    if (segment === '.' || segment === '..') return `has the segment ${segment}`
    // Windows drops these, so that `.. ` is `..` there.
    if (segment.endsWith('.') || segment.endsWith(' ')) return 'has a segment that ends in a dot or a space'
    if (Buffer.byteLength(segment) > largestSegmentBytes) {
      return `has a segment longer than ${largestSegmentBytes} bytes`
    }
  }
  return undefined
}

/** Names that open a device on Windows, whatever their extension. */
export const deviceName = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/iu

/**
 * Any text, such as a database's alias or a file name, as one segment of a key. Letters, digits, spaces and `._-` stay as they
 * are, the rest is percent-encoded; so are a dot or dash at the beginning and a dot or space at the end. A result of more than
 * 200 bytes is cut and ends in `~` and a digest. Distinct texts give distinct segments.
 *
 * @example
 * safeSegment('shop/eu') // 'shop%2Feu'
 */
export function safeSegment(text: string): string {
  if (text === '') return '~'
  const encoded = text
    .replace(/[^\p{L}\p{N}._ -]/gu, percentEncoded)
    .replace(/^[. -]|[. ]$/gu, percentEncoded)
    .replace(deviceName, (name) => percentEncoded(name.charAt(0)) + name.slice(1))
  if (Buffer.byteLength(encoded) <= largestSafeSegmentBytes) return encoded
  // `~` is otherwise always encoded, so no shortened name can equal a whole one.
  const tail = `~${createHash('sha256').update(encoded).digest('hex').slice(0, 32)}`
  return cutToBytes(encoded, largestSafeSegmentBytes - tail.length) + tail
}

function percentEncoded(character: string): string {
  // A lone surrogate has no UTF-8; its own code unit keeps it distinct, as `%u` followed by four digits.
  if (/\p{Cs}/u.test(character)) return `%u${character.charCodeAt(0).toString(16).toUpperCase()}`
  return Array.from(
    Buffer.from(character),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('')
}

function cutToBytes(text: string, bytes: number): string {
  let kept = ''
  let length = 0
  for (const character of text) {
    length += Buffer.byteLength(character)
    if (length > bytes) break
    kept += character
  }
  return kept
}

/** The order of `Storage.list`: by UTF-8 bytes, which differs from `<` on strings beyond the basic plane. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
