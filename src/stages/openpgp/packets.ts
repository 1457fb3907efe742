/*
 * The framing of OpenPGP packets: RFC 9580, section 4.2.
 */

export const armorBegin = '-----BEGIN PGP MESSAGE-----'
const armorEnd = '-----END PGP MESSAGE-----'

const publicKeySession = 1
const passwordSession = 3
const marker = 10
/** What stands before the encrypted data. */
const leading = [publicKeySession, passwordSession, marker]

/** Whether data begin as an encrypted message: with a session key for a public key or a password, or armored. */
export function startsAsMessage(head: Uint8Array): boolean {
  const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (isArmored(start)) return true
  const header = readHeader([...start.subarray(0, 6)])
  if (header === undefined || header === 'invalid' || header.partial) return false
  const body = start.subarray(header.bytes)
  if (header.tag === marker) return body.subarray(0, 3).toString('latin1') === 'PGP'
  const versions = header.tag === publicKeySession ? [3, 6] : header.tag === passwordSession ? [4, 5, 6] : []
  return body[0] !== undefined && versions.includes(body[0])
}

export function isArmored(head: Buffer): boolean {
  return head.toString('latin1').trimStart().startsWith(armorBegin)
}

/** Follows a message, to know at its end whether it is whole. */
export interface Walk {
  see(chunk: Buffer): void
  /** Whether what was seen may end here. */
  whole(): boolean
}

export function walkOf(head: Buffer): Walk {
  return isArmored(head) ? new ArmorWalk() : new PacketWalk()
}

class ArmorWalk implements Walk {
  #end = ''

  see(chunk: Buffer): void {
    // The end line, and some white space after it.
    this.#end = (this.#end + chunk.subarray(-256).toString('latin1')).slice(-256)
  }

  whole(): boolean {
    return this.#end.trimEnd().endsWith(armorEnd)
  }
}

class PacketWalk implements Walk {
  #header: number[] = []
  #bodyLeft = 0
  #inPartial = false
  #toEnd = false
  /** True at the start and after a session key: the encrypted data are still to come. */
  #awaitsData = true

  see(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#toEnd;) {
      const body = Math.min(this.#bodyLeft, chunk.length - at)
      at += body
      this.#bodyLeft -= body
      if (body > 0 || at >= chunk.length) continue
      this.#header.push(chunk[at++] as number)
      this.#enter(this.#inPartial ? readLength(this.#header, 0) : readHeader(this.#header))
    }
  }

  #enter(header: Header | 'invalid' | undefined): void {
    if (header === undefined) return
    this.#header = []
    // What is not a packet at all is the reader's to say; an indeterminate length ends with the data.
    this.#toEnd = header === 'invalid' || header.bodyBytes === undefined
    if (header === 'invalid') return
    if (header.tag !== undefined) this.#awaitsData = leading.includes(header.tag)
    this.#bodyLeft = header.bodyBytes ?? 0
    this.#inPartial = header.partial
  }

  whole(): boolean {
    const betweenPackets = this.#bodyLeft === 0 && !this.#inPartial && this.#header.length === 0
    return this.#toEnd || (betweenPackets && !this.#awaitsData)
  }
}

interface Header {
  readonly tag?: number
  /** Length of the header itself. */
  readonly bytes: number
  /** Absent where the packet goes on to the end of the data. */
  readonly bodyBytes?: number
  /** Whether another length follows after the body. */
  readonly partial: boolean
}

/** `undefined` where more bytes are needed. */
function readHeader(bytes: readonly number[]): Header | 'invalid' | undefined {
  const [first] = bytes
  if (first === undefined) return undefined
  if ((first & 0x80) === 0) return 'invalid'
  if ((first & 0x40) !== 0) {
    const length = readLength(bytes, 1)
    return length === undefined ? undefined : { ...length, tag: first & 0x3f }
  }
  const tag = (first >> 2) & 0x0f
  const lengthBytes = [1, 2, 4, 0][first & 3] as number
  if (lengthBytes === 0) return { tag, bytes: 1, partial: false }
  if (bytes.length <= lengthBytes) return undefined
  return {
    tag,
    bytes: 1 + lengthBytes,
    bodyBytes: bigEndian(bytes.slice(1, 1 + lengthBytes)),
    partial: false,
  }
}

function readLength(bytes: readonly number[], at: number): Header | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  if (first < 192) return { bytes: at + 1, bodyBytes: first, partial: false }
  if (first >= 224 && first < 255) return { bytes: at + 1, bodyBytes: 2 ** (first & 31), partial: true }
  const more = first === 255 ? 4 : 1
  if (bytes.length <= at + more) return undefined
  const rest = bigEndian(bytes.slice(at + 1, at + 1 + more))
  const bodyBytes = first === 255 ? rest : (first - 192) * 256 + rest + 192
  return { bytes: at + 1 + more, bodyBytes, partial: false }
}

function bigEndian(bytes: readonly number[]): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0)
}
