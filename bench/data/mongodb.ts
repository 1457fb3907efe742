import { createHash } from 'node:crypto'
import { MongoClient, type Document } from 'mongodb'

const collections = ['customer', 'order', 'event']
const batch = 1_000

/**
 * Fills a database with so many bytes of documents, about a kilobyte each, in three collections. Without indexes: FerretDB
 * takes none from mongorestore.
 */
export async function makeMongodb(url: string, bytes: number): Promise<void> {
  const client = new MongoClient(url)
  try {
    const each = Math.ceil(bytes / 1_000 / collections.length)
    for (const name of collections) {
      const collection = client.db().collection(name)
      for (let first = 0; first < each; first += batch) {
        const length = Math.min(batch, each - first)
        await collection.insertMany(Array.from({ length }, (_, index) => document(first + index)))
      }
    }
  } finally {
    await client.close()
  }
}

/** Of the kinds that applications have: numbers, texts that repeat and texts that do not, lists, what lies deeper. */
function document(number: number): Document {
  const random = (number * 2_654_435_761) % 4_294_967_296
  return {
    number,
    at: new Date(1_600_000_000_000 + number * 60_000),
    amount: random / 100,
    name: `customer ${number % 5_000}`,
    tags: [`tag ${number % 7}`, `tag ${number % 11}`],
    address: { street: `${number % 300} Long Street`, city: `city ${number % 90}`, code: String(random) },
    note: createHash('sha512').update(String(number)).digest('base64'),
    text: 'what many documents say in the same words, as they do; '.repeat(8),
  }
}
