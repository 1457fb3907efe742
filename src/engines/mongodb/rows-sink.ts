import type { Context } from '../../env/context.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { RowChunk } from '../../engine/row-chunk.js'
import type {
  EncodedRow,
  LoadFacts,
  LoadMode,
  RowSink,
  RowSinkCapabilities,
  RowSinkRequest,
  TableMapping,
  TableWriter,
  WriteCounts,
} from '../../engine/row-sink.js'
import { keyOf } from '../../engine/row-key.js'
import { tableText, type TableHeader } from '../../engine/table-header.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { assertExists } from './catalog.js'
import { listCollections, loadPrefix, unfinishedMark, type CollectionInfo } from './collections.js'
import { placeOf } from './connection.js'
import { indexesToBuild } from './indexes.js'
import { duplicateKey, InsertSender, type InsertOptions } from './insert-sender.js'
import { fromJson, type Bson, type OrderedDocument } from './ordered-json.js'
import { lineMaker, mappingOfRows } from './rows-documents.js'
import { documentEncoder, mappingOfDocuments, rowEncoder } from './rows-encoders.js'
import { readTables, requireCollection } from './rows-collections.js'
import { KeptDocuments } from './rows-kept.js'
import { definitionIn, holdsDocuments } from './rows-header.js'
import { readDocuments } from './rows-source.js'
import { MongoSession } from './session.js'

/** What a server says that does not know an option. */
const notImplemented = 238

const sweptAfterMs = 24 * 60 * 60 * 1000

/** Larger batches are no faster, and several copies of each are in memory. */
const sentBytes = 1024 * 1024
/** Batches that are on their way. */
const sendsAtOnce = 2

/** @throws usage.not-supported, database.* */
export async function openSink(
  cx: Context,
  settings: ConnectionSettings,
  request: RowSinkRequest,
): Promise<RowSink> {
  const session = await MongoSession.open(cx, settings)
  try {
    if (!request.create) await assertExists(session)
    const { collections, unfinished } = await listCollections(session)
    const { BSON } = await import('mongodb')
    return new MongoSink(cx, session, BSON, request.mode, collections, unfinished)
  } catch (error) {
    await session.close()
    throw error
  }
}

const none: WriteCounts = { inserted: 0, updated: 0, skipped: 0, deleted: 0 }

interface SentCounts {
  readonly sent: number
  /** Of those, how many were there already. */
  readonly passed: number
}

/** A collection that is loaded, beside the one whose place it takes. */
interface Beside {
  readonly header: TableHeader
  readonly name: string
}

/**
 * Loads beside the collections that are there, and lets them change places when all is well: MongoDB has no transaction that a
 * load could be. Documents that stay are copied.
 */
class MongoSink implements RowSink {
  readonly capabilities: RowSinkCapabilities = {
    schemas: false,
    wrappers: ['bson'],
    fixedScale: false,
    looseTypes: [],
    anyColumns: true,
  }
  readonly #cx: Context
  readonly #session: MongoSession
  readonly #bson: Bson
  readonly #mode: LoadMode
  readonly #unfinished: boolean
  readonly #collections: readonly CollectionInfo[]
  readonly #beside = new Map<string, Beside>()
  readonly #there: ReadonlySet<string>
  /** What the rows of each table are. */
  readonly #mapped = new Map<string, TableHeader>()
  readonly #kept: KeptDocuments[] = []
  #tables: readonly TableHeader[]

  constructor(
    cx: Context,
    session: MongoSession,
    bson: Bson,
    mode: LoadMode,
    collections: readonly CollectionInfo[],
    unfinished: boolean,
  ) {
    this.#cx = cx
    this.#session = session
    this.#bson = bson
    this.#mode = mode
    this.#collections = collections
    this.#tables = readTables(collections)
    this.#there = new Set(this.#tables.map(({ table }) => table.name))
    this.#unfinished = unfinished
  }

  tables(): Promise<readonly TableHeader[]> {
    return Promise.resolve(this.#tables)
  }

  mapping(header: TableHeader): TableMapping {
    requireCollection(header.table.name, this.#collections)
    const mapping = holdsDocuments(header) ? mappingOfDocuments(header) : mappingOfRows(header)
    // A collection that is there keeps its own options and indexes.
    const there = this.#tables.find(({ table }) => table.name === header.table.name)?.native
    const table = there === undefined ? mapping.table : { ...mapping.table, native: there }
    this.#mapped.set(tableText(table.table), table)
    return { ...mapping, table }
  }

  /** They are made beside, as all others are. */
  create(mappings: readonly TableMapping[]): Promise<void> {
    this.#tables = [...this.#tables, ...mappings.map(({ table }) => table)]
    return Promise.resolve()
  }

  async begin(tables: readonly TableHeader[]): Promise<void> {
    const now = this.#cx.env.clock.now().getTime()
    await this.#sweep(now)
    const unique = Buffer.from(this.#cx.env.randomBytes(6)).toString('hex')
    const run = `${loadPrefix}${now}_${unique}`
    for (const [place, header] of tables.entries()) {
      const name = `${run}_${place}`
      this.#beside.set(tableText(header.table), { header: this.#mappedOf(header), name })
      const options = [...this.#read(definitionIn(this.#mappedOf(header)).options)].filter(
        ([key]) => key !== 'autoIndexId',
      )
      await this.#session.ask((database) =>
        database.command({ create: name, ...Object.fromEntries(options) }),
      )
    }
  }

  writer(table: TableHeader, columns: readonly string[]): TableWriter {
    const mapped = this.#mappedOf(table)
    // Any other key than the one that is the _id tells documents apart no more than an index does.
    keyOf({ ...mapped, unique: [] }, columns, this.#mode)
    const encode = holdsDocuments(mapped)
      ? documentEncoder(this.#bson, columns)
      : rowEncoder(this.#bson, mapped, columns)
    const write = (rows: AsyncIterable<readonly EncodedRow[]>) =>
      this.#write(table, rows as AsyncIterable<readonly Buffer[]>)
    return { encode, write }
  }

  rows(table: TableHeader, columns: readonly string[]): AsyncIterable<RowChunk> {
    const mapped = this.#mappedOf(table)
    const lines = holdsDocuments(mapped) ? undefined : (bson: Bson) => lineMaker(bson, mapped, columns)
    const query = { columns, anyOrder: true as const }
    return readDocuments(this.#cx, this.#session, this.#besideOf(table).name, query, lines)
  }

  async finish(): Promise<LoadFacts> {
    for (const beside of this.#beside.values()) await this.#index(beside)
    for (const kept of this.#kept) await kept.read()
    const waiting = [...this.#beside.values()]
    try {
      for (; waiting[0] !== undefined; waiting.shift())
        await this.#takePlace(waiting[0].name, waiting[0].header.table.name)
    } catch (thrown) {
      if (waiting.length === this.#beside.size) throw thrown
      const error = asHoldfastError(thrown)
      throw new HoldfastError('restore.incomplete', `${error.message}; some collections are loaded already`, {
        cause: error,
        hint: `load once more: ${waiting.map(({ header }) => header.table.name).join(', ')}`,
      })
    }
    this.#beside.clear()
    await this.#session.close()
    return { warnings: [], deleted: {} }
  }

  async abandon(): Promise<void> {
    for (const { name } of this.#beside.values())
      await this.#session.ask((database) => database.dropCollection(name)).catch(() => undefined)
    await this.#session.close()
  }

  async #write(table: TableHeader, sent: AsyncIterable<readonly Buffer[]>): Promise<WriteCounts> {
    if (this.#mode === 'replace') return { ...none, inserted: await this.#insert(table, sent) }
    const kept = new KeptDocuments(this.#cx, this.#session, this.#bson, table.table.name)
    this.#kept.push(kept)
    switch (this.#mode) {
      case 'append':
        await this.#insert(table, kept.all())
        return { ...none, inserted: await this.#insert(table, sent) }
      case 'skip': {
        await this.#insert(table, kept.all())
        const counts = await this.#insertNew(table, sent)
        return { ...none, inserted: counts.sent - counts.passed, skipped: counts.passed }
      }
      case 'update':
      case 'sync': {
        const whole = holdsDocuments(this.#mappedOf(table))
        if (whole && this.#mode === 'update') {
          const count = await this.#insert(table, sent)
          // What was sent is in the place of what is there.
          const { passed } = await this.#insertNew(table, kept.all())
          return { ...none, inserted: count - passed, updated: passed }
        }
        await kept.read()
        const count = await this.#insert(table, kept.merged(sent, whole))
        if (this.#mode === 'update') await this.#insertNew(table, kept.all())
        const [updated, deleted] = [kept.found, this.#mode === 'sync' ? kept.count - kept.found : 0]
        return { ...none, inserted: count - updated, updated, deleted }
      }
    }
  }

  /** @returns how many */
  async #insert(table: TableHeader, batches: AsyncIterable<readonly Uint8Array[]>): Promise<number> {
    return (await this.#send(table, batches, { bytesAtOnce: sentBytes })).sent
  }

  /** Those whose `_id` is not there yet. */
  #insertNew(table: TableHeader, batches: AsyncIterable<readonly Uint8Array[]>): Promise<SentCounts> {
    return this.#send(table, batches, { bytesAtOnce: sentBytes, passDuplicates: true })
  }

  async #send(
    table: TableHeader,
    batches: AsyncIterable<readonly Uint8Array[]>,
    options: InsertOptions,
  ): Promise<SentCounts> {
    const beside = this.#besideOf(table)
    const collection = {
      database: this.#session.settings.name,
      name: beside.name,
      type: 'collection',
      metadata: definitionIn(beside.header).options,
    }
    const sender = await InsertSender.create(this.#session, options)
    // It has tried something out on the mark of a restore.
    if (!this.#unfinished)
      await this.#session.ask((database) => database.dropCollection(unfinishedMark)).catch(() => undefined)
    let sent = 0
    try {
      for await (const documents of batches) {
        const bytes = Buffer.concat(documents)
        sender.add(collection, { bytes, documents: documents.length, wholeBytes: bytes.length })
        sent += documents.length
        await sender.settle(sendsAtOnce)
      }
      sender.flush(collection)
      await sender.settle(0)
    } catch (error) {
      throw unique(error, beside)
    } finally {
      await sender.stop()
    }
    return { sent, passed: sender.passed }
  }

  async #index(beside: Beside): Promise<void> {
    const { header, name } = beside
    const { options, indexes } = definitionIn(header)
    const wanted = indexesToBuild({
      options: this.#read(options),
      indexes: indexes.map((each) => this.#read(each)),
    })
    if (wanted.length === 0) return
    await this.#session
      .ask((database) => database.command({ createIndexes: name, indexes: wanted }))
      .catch((error: unknown) => {
        throw unique(error, beside)
      })
  }

  /** What loads have left that were killed a day ago or earlier. */
  async #sweep(now: number): Promise<void> {
    const found = await this.#session.ask((database) =>
      database.listCollections({}, { nameOnly: true }).toArray(),
    )
    for (const { name } of found) {
      const since = Number(new RegExp(`^${loadPrefix}(\\d+)_`, 'u').exec(name)?.[1] ?? now)
      if (now - since > sweptAfterMs) await this.#session.ask((database) => database.dropCollection(name))
    }
  }

  /** In one step where the server can: FerretDB has to be told in two, and the old collection comes back if the second fails. */
  async #takePlace(from: string, to: string): Promise<void> {
    if (!this.#there.has(to)) return this.#rename(from, to)
    try {
      await this.#rename(from, to, { dropTarget: true })
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.details['code'] !== notImplemented) throw error
      const old = `${to}_before_${from.slice(loadPrefix.length)}`
      await this.#rename(to, old)
      await this.#rename(from, to).catch(async (failure: unknown) => {
        await this.#rename(old, to)
        throw failure
      })
      await this.#session.ask((database) => database.dropCollection(old))
    }
  }

  async #rename(from: string, to: string, options: object = {}): Promise<void> {
    const { name } = this.#session.settings
    await this.#session.askOf('admin', (database) =>
      database.command({ renameCollection: `${name}.${from}`, to: `${name}.${to}`, ...options }),
    )
  }

  #mappedOf(table: TableHeader): TableHeader {
    return this.#mapped.get(tableText(table.table)) ?? table
  }

  #besideOf({ table }: TableHeader): Beside {
    const beside = this.#beside.get(tableText(table))
    if (beside === undefined) throw new TypeError(`${tableText(table)} is not being loaded`)
    return beside
  }

  /** @throws integrity.format */
  #read(definition: string): OrderedDocument {
    try {
      return fromJson(this.#bson, definition)
    } catch (error) {
      throw new HoldfastError(
        'integrity.format',
        `${placeOf(this.#session.settings)}: no definition: ${definition}`,
        {
          cause: error,
        },
      )
    }
  }
}

function unique(error: unknown, { header, name }: Beside): unknown {
  if (!(error instanceof HoldfastError)) return error
  // FerretDB has an index refused by its own database.
  const said =
    error.details['code'] === duplicateKey || /UNIQUE constraint|duplicate key/u.test(error.message)
  if (!said) return error
  return new HoldfastError('refused.constraint', error.message.replaceAll(name, header.table.name), {
    cause: error,
  })
}
