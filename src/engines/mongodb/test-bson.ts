/** The public corpus of BSON, as documents. Used by tests alone. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BSON, type Db } from 'mongodb'
import { DocumentSequence } from 'mongodb/lib/cmap/commands.js'
import { samplesFolder } from '../../../test/servers/needs.js'
import type { ScratchDatabase } from './test-database.js'

interface CorpusFile {
  readonly valid?: readonly { readonly canonical_bson: string }[]
}

/** A document of `_id` and elements that are BSON already. */
export function documentOf(id: number, elements: Buffer): Buffer {
  const own = Buffer.from(BSON.serialize({ _id: id }))
  const document = Buffer.concat([own.subarray(0, -1), elements, Buffer.of(0)])
  document.writeInt32LE(document.length)
  return document
}

export const element = (type: number, name: string, value: Buffer) =>
  Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), value])

/** The public corpus, each document within one of ours; by the name of its file. */
export function corpus(): Map<string, Buffer[]> {
  const folder = join(samplesFolder, 'bson-corpus')
  let id = 0
  return new Map(
    readdirSync(folder).map((file) => {
      const { valid = [] } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CorpusFile
      const documents = valid.map(({ canonical_bson: hex }) =>
        documentOf(id++, element(3, 'v', Buffer.from(hex, 'hex'))),
      )
      return [file.replace('.json', ''), documents]
    }),
  )
}

/** What FerretDB 1.x on SQLite does not keep; each of these is passed through an archive in archive-parser.test.ts. */
export const notOfFerretdb: readonly string[] = [
  ...['NaN with a payload', 'binary', 'code', 'code_w_scope', 'dbpointer', 'dbref'],
  ...['decimal128-1', 'decimal128-2', 'decimal128-3', 'decimal128-4', 'decimal128-5', 'document'],
  ...['dots and dollars in keys', 'double', 'maxkey', 'minkey', 'multi-type', 'multi-type-deprecated'],
  ...['negative NaN', 'negative zero', 'regex', 'symbol', 'the same key twice', 'top', 'undefined'],
]

/** Sends documents as the bytes that they are. @returns how many the server refused */
export async function insertBytes(
  database: Db,
  collection: string,
  documents: readonly Buffer[],
): Promise<number> {
  const sequence = new DocumentSequence('documents')
  for (const document of documents) sequence.push({}, document)
  const { writeErrors = [] } = (await database
    .command({ insert: collection, documents: sequence })
    .catch(() => ({ writeErrors: documents }))) as { writeErrors?: readonly unknown[] }
  return writeErrors.length
}

/** What the server keeps of the corpus, as one collection. @returns how many documents */
export async function fillCorpus(scratch: ScratchDatabase): Promise<number> {
  const files = [...corpus()].filter(([name]) => !scratch.isFerretdb || !notOfFerretdb.includes(name))
  const documents = files.flatMap(([, of]) => of)
  const refused = await scratch.on((database) => insertBytes(database, 'types', documents))
  if (refused > 0) throw new Error(`${refused} of ${documents.length} documents are refused`)
  return documents.length
}
