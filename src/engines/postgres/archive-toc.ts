import { HoldfastError } from '../../errors.js'

/**
 * The head of an archive in pg_dump's custom format: its header and its table of contents. The format has no manual; what is
 * read here is what WriteHead and WriteToc of PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c write. Versions: 1.12 (9.0),
 * 1.13 (security releases of 2018), 1.14 (12), 1.15 (16), 1.16 (17).
 */
export interface ArchiveHeader {
  /** The minor number of the archive's version: 14 for 1.14. */
  readonly version: number
  readonly database: string
  /** As the server said it: `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly serverVersion: string
  readonly dumpVersion: string
  readonly entries: number
}

export interface ArchiveEntry {
  readonly dumpId: number
  /** A block of data of this entry is in the archive. */
  readonly hasData: boolean
  /** `TABLE`, `TABLE DATA`, `EXTENSION`. */
  readonly kind: string
  readonly name: string
  readonly schema: string | undefined
  readonly owner: string | undefined
  /** When it is made: before the rows, with them, after them; `undefined` for what goes with another entry, as a comment does. */
  readonly section: 'pre-data' | 'data' | 'post-data' | undefined
  /** The statement that makes it. */
  readonly definition: string | undefined
  /** The statement that begins its rows: `COPY public.film (title) FROM stdin;`. */
  readonly copy: string | undefined
  /** The entries that it needs, by their dump ids. */
  readonly needs: readonly number[]
  /** Where the head has whether it has data, its statements (what makes it, what drops it, what begins its rows) and its owner, each with its length before it. */
  readonly places: Readonly<Record<EntryStatement | 'data', Span>>
}

/** A text of an entry that can be changed. */
export type EntryStatement = 'definition' | 'drop' | 'copy' | 'owner'

export interface Span {
  readonly start: number
  readonly end: number
}

export const archiveMagic = Buffer.from('PGDMP', 'latin1')
/** Where the header says which of pg_dump's archive formats it is, and what stands there for the custom one. */
const formatOffset = 10
const customFormat = 1
const oldestVersion = 12
const newestVersion = 16
const versionWithCompressionName = 15
/** By their numbers in the archive; 1 stands for none. */
const sections: readonly ArchiveEntry['section'][] = [undefined, undefined, 'pre-data', 'data', 'post-data']
/** Larger than any real one, small enough not to be an attack on memory. */
const longestEntry = 512 * 1024 * 1024
const mostEntries = 50_000_000

/** Whether data that begin so are an archive in the custom format. */
export function isCustomArchive(head: Uint8Array): boolean {
  return archiveMagic.every((byte, index) => head[index] === byte) && head[formatOffset] === customFormat
}

/** Thrown by a reader that has come to the end of what is there so far. */
class MoreNeeded extends Error {}

/** Reads the head of an archive as it comes in, in pieces of any size. */
export class ArchiveHeadReader {
  readonly #onHeader: (header: ArchiveHeader) => void
  readonly #onEntry: (entry: ArchiveEntry) => void
  #chunks: Uint8Array[] = []
  #held = 0
  /** Bytes that must be there before it is worth trying again. */
  #wanted = 0
  #header: ArchiveHeader | undefined
  #offsetBytes = 8
  #entriesLeft = 0
  /** Bytes of the head that lie before those held. */
  #before = 0

  constructor(onHeader: (header: ArchiveHeader) => void, onEntry: (entry: ArchiveEntry) => void) {
    this.#onHeader = onHeader
    this.#onEntry = onEntry
  }

  /** Where in the head the archive has come to, for a message about its end. */
  get place(): string {
    return this.#header === undefined ? 'its header' : 'its table of contents'
  }

  /**
   * Takes the next bytes; gives those that come after the head once it is complete, `undefined` before.
   * @throws integrity.format, integrity.newer-format
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    // A copy, since the chunk's memory may be used again.
    this.#chunks.push(Buffer.from(chunk))
    this.#held += chunk.length
    if (this.#held < this.#wanted) return undefined
    const bytes = Buffer.concat(this.#chunks, this.#held)
    const reader = new FieldReader(bytes)
    let read = 0
    try {
      if (this.#header === undefined) {
        this.#readHeader(reader)
        read = reader.at
      }
      while (this.#entriesLeft > 0) {
        this.#readEntry(reader)
        this.#entriesLeft -= 1
        read = reader.at
      }
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error
      this.#keep(bytes.subarray(read), reader.end - read)
      this.#before += read
      return undefined
    }
    this.#keep(new Uint8Array(), 0)
    this.#before += read
    return bytes.subarray(read)
  }

  #keep(rest: Uint8Array, wanted: number): void {
    if (wanted > longestEntry)
      throw malformed(`an entry of its table of contents claims to have ${wanted} bytes`)
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#held = rest.length
    this.#wanted = wanted
  }

  #readHeader(reader: FieldReader): void {
    for (const byte of archiveMagic)
      if (reader.byte() !== byte) throw malformed('it does not begin with PGDMP')
    const [major, version] = [reader.byte(), reader.byte()]
    reader.byte()
    if (major !== 1 || version > newestVersion) {
      throw new HoldfastError(
        'integrity.newer-format',
        `the archive has version ${major}.${version}; this version of Holdfast knows those up to 1.${newestVersion}`,
        { hint: 'update Holdfast, or use the connector pg-dump' },
      )
    }
    if (version < oldestVersion) throw malformed(`its version is 1.${version}, of a PostgreSQL before 9.0`)
    const integerBytes = reader.byte()
    this.#offsetBytes = reader.byte()
    if (integerBytes !== 4 || this.#offsetBytes < 1 || this.#offsetBytes > 8)
      throw malformed('its integers have an odd size')
    if (reader.byte() !== customFormat) throw malformed('it is not in the custom format')
    if (version >= versionWithCompressionName) reader.byte()
    else reader.integer()
    // The time of the dump: seconds to years, and whether it was summer time.
    for (let field = 0; field < 7; field++) reader.integer()
    const database = reader.string() ?? ''
    const serverVersion = reader.string() ?? ''
    const dumpVersion = reader.string() ?? ''
    const entries = reader.integer()
    if (entries < 0 || entries > mostEntries)
      throw malformed(`its table of contents claims ${entries} entries`)
    this.#header = { version, database, serverVersion, dumpVersion, entries }
    this.#entriesLeft = entries
    this.#onHeader(this.#header)
  }

  #readEntry(reader: FieldReader): void {
    const version = this.#header?.version ?? newestVersion
    const dumpId = reader.integer()
    const dataStart = this.#before + reader.at
    const hasData = reader.integer() !== 0
    const data = { start: dataStart, end: this.#before + reader.at }
    // The object's ids at its origin.
    reader.string()
    reader.string()
    const name = reader.string() ?? ''
    const kind = reader.string() ?? ''
    const section = sections[reader.integer()]
    const [definition, definitionPlace] = this.#statement(reader)
    const [, dropPlace] = this.#statement(reader)
    const [copy, copyPlace] = this.#statement(reader)
    const schema = reader.string()
    // Tablespace, and since 12 the access method.
    reader.string()
    if (version >= 14) reader.string()
    if (version >= 16) reader.integer()
    const [owner, ownerPlace] = this.#statement(reader)
    // Whether it has OIDs.
    reader.string()
    const needs: number[] = []
    for (let need = reader.string(); need !== undefined; need = reader.string()) needs.push(Number(need))
    // Where its data are: a flag and, were the file seekable, a place.
    reader.skip(1 + this.#offsetBytes)
    const places = { data, definition: definitionPlace, drop: dropPlace, copy: copyPlace, owner: ownerPlace }
    this.#onEntry({ dumpId, hasData, kind, name, schema, owner, section, definition, copy, needs, places })
  }

  #statement(reader: FieldReader): readonly [text: string | undefined, place: Span] {
    const start = this.#before + reader.at
    const text = reader.string()
    return [text, { start, end: this.#before + reader.at }]
  }
}

/** Reads the integers and strings of a head. */
class FieldReader {
  at = 0
  /** The end of the field that was read last, also where it lies beyond what is there. */
  end = 0
  readonly #bytes: Buffer

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  skip(length: number): number {
    const start = this.at
    this.end = start + length
    if (this.end > this.#bytes.length) throw new MoreNeeded()
    this.at = this.end
    return start
  }

  byte(): number {
    return this.#bytes.readUInt8(this.skip(1))
  }

  /** A sign, and four bytes, the lowest first. */
  integer(): number {
    const start = this.skip(5)
    const value = this.#bytes.readUInt32LE(start + 1)
    return this.#bytes[start] === 0 ? value : -value
  }

  /** A length and as many bytes; `undefined` where the length is negative. */
  string(): string | undefined {
    const length = this.integer()
    if (length < 0) return undefined
    const start = this.skip(length)
    return this.#bytes.toString('utf8', start, start + length)
  }
}

export function malformed(what: string): HoldfastError {
  return new HoldfastError('integrity.format', `this is not an archive that pg_restore can read: ${what}`)
}
