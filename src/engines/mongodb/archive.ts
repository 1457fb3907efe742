import { HoldfastError } from '../../errors.js'
import { readFlat, writeFlat } from './flat-bson.js'

/**
 * The archive format of mongodump, version 0.1 (`common/archive/spec.md` of mongodb/mongo-tools): four bytes by which it is
 * known, then blocks. A block is a header document, documents, and four bytes of 0xff. The first block is the prelude: about
 * the archive, then one document a collection. Every other block holds documents of one collection; blocks of several
 * collections take turns, and a block without documents whose header has EOF ends a collection and gives its checksum.
 */
export const magic = Buffer.from([0x6d, 0xe2, 0x99, 0x81])
export const terminator = Buffer.from([0xff, 0xff, 0xff, 0xff])
/** What mongorestore takes for a document. */
export const longestDocument = 16 * 1024 * 1024

/** A collection as the prelude has it. */
export interface ArchivedCollection {
  readonly database: string
  readonly name: string
  /** `collection`, `view`, `timeseries`; empty in archives of old tools. */
  readonly type: string
  /** JSON (extended, canonical) with `options` and `indexes`; empty where there is nothing to know. */
  readonly metadata: string
}

export interface Prelude {
  readonly serverVersion: string
  readonly toolVersion: string
  readonly collections: readonly ArchivedCollection[]
}

/** Where the documents of a collection are: those of a time series are in a collection of buckets. */
export function dataName({ name, type }: ArchivedCollection): string {
  return type === 'timeseries' ? `system.buckets.${name}` : name
}

/** @param concurrent how many collections take turns: mongorestore keeps as many open */
export function preludeBytes(prelude: Prelude, concurrent: number): Buffer {
  return Buffer.concat([
    magic,
    writeFlat({
      concurrent_collections: concurrent,
      version: '0.1',
      server_version: prelude.serverVersion,
      tool_version: prelude.toolVersion,
    }),
    ...prelude.collections.map(({ database, name, type, metadata }) =>
      writeFlat({ db: database, collection: name, metadata, size: 0, type }),
    ),
    terminator,
  ])
}

/** The header of a block of documents. */
export function blockHeader(database: string, collection: string): Buffer {
  return writeFlat({ db: database, collection, EOF: false, CRC: 0n })
}

/** The block that ends a collection. */
export function endBlock(database: string, collection: string, crc: bigint): Buffer {
  return Buffer.concat([writeFlat({ db: database, collection, EOF: true, CRC: crc }), terminator])
}

/** @throws integrity.format, integrity.newer-format */
export function readArchiveHeader(bytes: Buffer): Omit<Prelude, 'collections'> {
  const { version, server_version: serverVersion, tool_version: toolVersion } = readFlat(bytes)
  if (typeof version !== 'string') throw unreadable('no version')
  if (!version.startsWith('0.')) {
    throw new HoldfastError('integrity.newer-format', `the archive has format version ${version}`, {
      hint: 'restore it with a newer mongorestore',
    })
  }
  return { serverVersion: text(serverVersion), toolVersion: text(toolVersion) }
}

/** @throws integrity.format */
export function readArchivedCollection(bytes: Buffer): ArchivedCollection {
  const { db, collection, type, metadata } = readFlat(bytes)
  if (typeof collection !== 'string' || collection === '') throw unreadable('a collection without a name')
  return { database: text(db), name: collection, type: text(type), metadata: text(metadata) }
}

export interface BlockHeader {
  readonly database: string
  readonly collection: string
  /** Of a block that ends the collection. */
  readonly crc?: bigint
}

/** @throws integrity.format */
export function readBlockHeader(bytes: Buffer): BlockHeader {
  const { db, collection, EOF: ends, CRC: crc } = readFlat(bytes)
  if (typeof collection !== 'string' || collection === '') throw unreadable('a block without a collection')
  if (ends !== true) return { database: text(db), collection }
  if (typeof crc !== 'bigint' && typeof crc !== 'number') throw unreadable('a collection without a checksum')
  return { database: text(db), collection, crc: BigInt(crc) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function unreadable(what: string): HoldfastError {
  return new HoldfastError('integrity.format', `the archive of mongodump is damaged: ${what}`)
}
