/** What the contract of connectors wants to find in a database. Used by the tests of this room alone. */
import { Binary, Double, Int32, Long, Timestamp, type Db } from 'mongodb'
import type { ScratchDatabase } from './test-database.js'

/** Quotes, spaces, Unicode, a percent sign, a leading dash; FerretDB on SQLite takes no double quotes. */
export const oddName = `-odd 'näme' 50% 漢字`
export const books = 2_500

export const sample = {
  lone: 'lonely',
  odd: oddName,
  changeRows: JSON.stringify([
    { insert: 'author', documents: [{ _id: 999, name: 'new' }] },
    { delete: 'lonely', deletes: [{ q: { _id: { $gt: 200 } }, limit: 0 }] },
  ]),
  changeSchema: JSON.stringify([
    { createIndexes: 'lonely', indexes: [{ key: { extra: 1 }, name: 'extra' }] },
  ]),
}

export async function fillSample(scratch: ScratchDatabase): Promise<void> {
  await scratch.on(async (database) => {
    await database.collection('author').insertMany(values())
    await database.createIndex('author', { name: 1 }, { unique: true, name: 'by name' })
    const lines = Array.from({ length: books }, (_, index) => ({
      _id: new Int32(index),
      author: index % 10,
      title: `book ${index}`,
    }))
    await database.collection<{ _id: Int32 }>('book').insertMany(lines)
    await database.createIndex('book', { author: 1, title: -1 })
    for (const name of [sample.lone, sample.odd]) await numbered(database, name)
    await database.createCollection('capped', { capped: true, size: 65_536, max: 100 })
    await database.collection('capped').insertMany([{ a: 1 }, { a: 2 }])
    await database.createCollection('nothing yet')
    if (!scratch.isFerretdb) await more(database)
  })
}

function values() {
  return [
    { _id: 0, name: 'null', value: null },
    { _id: 1, name: 'empty', value: '', list: [], document: {} },
    { _id: 2, name: 'blob', value: new Binary(Buffer.from([0, 255, 10, 13, 0x5c])) },
    { _id: 3, name: 'naïve 漢字 🎉', value: '🎉\u0001' },
    { _id: 4, name: 'long', value: Long.MAX_VALUE, other: Long.MIN_VALUE },
    { _id: 5, name: 'double', value: new Double(1), small: 5e-324, large: 1.7976931348623157e308 },
    {
      _id: 6,
      name: 'date',
      value: new Date('2026-02-28T23:59:59.999Z'),
      stamp: new Timestamp({ t: 5, i: 6 }),
    },
    { _id: 7, name: 'pattern', value: /^a.*b$/i, yes: true, no: false },
  ] as unknown as { _id: never }[]
}

async function numbered(database: Db, name: string): Promise<void> {
  const documents = Array.from({ length: 300 }, (_, index) => ({ _id: index, text: `${name} ${index}` }))
  await database.collection<{ _id: number }>(name).insertMany(documents)
}

/** What only MongoDB itself has. */
async function more(database: Db): Promise<void> {
  await database.createCollection('young_books', { viewOn: 'book', pipeline: [{ $match: { author: 1 } }] })
  await database.createCollection('checked', { validator: { age: { $gt: 1 } }, validationLevel: 'moderate' })
  await database.collection('checked').insertOne({ age: 5 })
  await database.createCollection('german', { collation: { locale: 'de' } })
  await database.createIndex('german', { name: 1 })
  await database.createIndex('german', { other: 1 }, { collation: { locale: 'simple' } })
  await database.createIndex('book', { expires: 1 }, { expireAfterSeconds: 3600 })
  await database.createIndex('book', { part: 1 }, { partialFilterExpression: { part: { $gt: 5 } } })
}
