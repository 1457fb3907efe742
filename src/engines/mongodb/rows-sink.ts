import type { Context } from '../../env/context.js'
import type { Cell, Row } from '../../engine/cell.js'
import { plainText } from '../../engine/cell.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { RowChunk } from '../../engine/row-chunk.js'
import {
  CellRefused,
  type EncodedRow,
  type LoadFacts,
  type RowSink,
  type RowSinkCapabilities,
  type RowSinkRequest,
  type TableMapping,
  type TableWriter,
  type WriteCounts,
} from '../../engine/row-sink.js'
import { tableText, type ColumnHeader, type TableHeader } from '../../engine/table-header.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { assertExists } from './catalog.js'
import { listCollections, loadPrefix, unfinishedMark } from './collections.js'
import { placeOf } from './connection.js'
import { DocumentWriter, NoDocument } from './document-bson.js'
import { DocumentReader, idJson } from './document-json.js'
import { indexesToBuild } from './indexes.js'
import { InsertSender } from './insert-sender.js'
import { fromJson, type Bson, type OrderedDocument } from './ordered-json.js'
import { documentMaker, lineMaker, mappingOfRows } from './rows-documents.js'
import { definitionIn, documentColumns, holdsDocuments } from './rows-header.js'
import { readDocuments, readTables } from './rows-source.js'
import { MongoSession } from './session.js'

/** What a server says that does not know an option. */
const notImplemented = 238

const sweptAfterMs = 24 * 60 * 60 * 1000

/** Batches that are on their way. */
const sendsAtOnce = 2

/** @throws usage.not-supported, database.* */
export async function openSink(
  cx: Context,
  settings: ConnectionSettings,
  request: RowSinkRequest,
): Promise<RowSink> {
  if (request.mode !== 'replace')
    throw new HoldfastError(
      'usage.not-supported',
      `MongoDB has no transaction that a load with the mode ${request.mode} could be`,
      { hint: 'load with the mode replace, which loads beside the collections and lets them change places' },
    )
  const session = await MongoSession.open(cx, settings)
  try {
    if (!request.create) await assertExists(session)
    const { collections, unfinished } = await listCollections(session)
    const { BSON } = await import('mongodb')
    return new MongoSink(cx, session, BSON, await readTables(session, collections), unfinished)
  } catch (error) {
    await session.close()
    throw error
  }
}

/** A collection that is loaded, beside the one whose place it takes. */
interface Beside {
  readonly header: TableHeader
  readonly name: string
}

/**
 * Loads beside the collections that are there, and lets them change places when all is well: MongoDB has no transaction that a
 * load could be.
 */
class MongoSink implements RowSink {
  readonly capabilities: RowSinkCapabilities = {
    schemas: false,
    wrappers: ['bson'],
    fixedScale: false,
    looseJson: {},
    anyColumns: true,
  }
  readonly #cx: Context
  readonly #session: MongoSession
  readonly #bson: Bson
  readonly #unfinished: boolean
  readonly #beside = new Map<string, Beside>()
  readonly #there: ReadonlySet<string>
  /** What the rows of each table are. */
  readonly #mapped = new Map<string, TableHeader>()
  #tables: readonly TableHeader[]

  constructor(
    cx: Context,
    session: MongoSession,
    bson: Bson,
    tables: readonly TableHeader[],
    unfinished: boolean,
  ) {
    this.#cx = cx
    this.#session = session
    this.#bson = bson
    this.#tables = tables
    this.#there = new Set(tables.map(({ table }) => table.name))
    this.#unfinished = unfinished
  }

  tables(): Promise<readonly TableHeader[]> {
    return Promise.resolve(this.#tables)
  }

  mapping(header: TableHeader): TableMapping {
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
    const encode = holdsDocuments(mapped)
      ? documentEncoder(this.#bson, columns)
      : rowEncoder(this.#bson, mapped, columns)
    return { encode, write: (rows) => this.#write(table, rows) }
  }

  rows(table: TableHeader, columns: readonly string[]): AsyncIterable<RowChunk> {
    const mapped = this.#mappedOf(table)
    const lines = holdsDocuments(mapped) ? undefined : (bson: Bson) => lineMaker(bson, mapped, columns)
    const query = { columns, anyOrder: true as const }
    return readDocuments(this.#cx, this.#session, this.#nameOf(table), query, lines)
  }

  async finish(): Promise<LoadFacts> {
    for (const { header, name } of this.#beside.values()) await this.#index(header, name)
    let changed = false
    try {
      for (const { header, name } of this.#beside.values()) {
        await this.#takePlace(name, header.table.name)
        changed = true
      }
    } catch (thrown) {
      if (!changed) throw thrown
      const error = asHoldfastError(thrown)
      throw new HoldfastError('restore.incomplete', `${error.message}; some collections are loaded already`, {
        cause: error,
        hint: 'load once more',
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

  async #write(table: TableHeader, batches: AsyncIterable<readonly EncodedRow[]>): Promise<WriteCounts> {
    const collection = {
      database: this.#session.settings.name,
      name: this.#nameOf(table),
      type: 'collection',
      metadata: definitionIn(table).options,
    }
    const sender = await InsertSender.create(this.#session)
    // It has tried something out on the mark of a restore.
    if (!this.#unfinished)
      await this.#session.ask((database) => database.dropCollection(unfinishedMark)).catch(() => undefined)
    let inserted = 0
    try {
      for await (const batch of batches) {
        const documents = batch as readonly Buffer[]
        const bytes = Buffer.concat(documents)
        sender.add(collection, { bytes, documents: documents.length, wholeBytes: bytes.length })
        inserted += documents.length
        await sender.settle(sendsAtOnce)
      }
      sender.flush(collection)
      await sender.settle(0)
    } catch (error) {
      throw unique(error)
    } finally {
      await sender.stop()
    }
    return { inserted, updated: 0, skipped: 0, deleted: 0 }
  }

  async #index(header: TableHeader, name: string): Promise<void> {
    const { options, indexes } = definitionIn(header)
    const wanted = indexesToBuild({
      options: this.#read(options),
      indexes: indexes.map((each) => this.#read(each)),
    })
    if (wanted.length === 0) return
    await this.#session
      .ask((database) => database.command({ createIndexes: name, indexes: wanted }))
      .catch((error: unknown) => {
        throw unique(error)
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

  #nameOf({ table }: TableHeader): string {
    const beside = this.#beside.get(tableText(table))
    if (beside === undefined) throw new TypeError(`${tableText(table)} is not being loaded`)
    return beside.name
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

/** Of another engine what MongoDB does not know is lost. */
function mappingOfDocuments(header: TableHeader): TableMapping {
  const { notCarried, foreignKeys, native } = header
  const losses =
    native?.engine === 'mongodb' ? [] : [...notCarried, ...foreignKeys.map(() => 'a foreign key')]
  return {
    table: {
      ...header,
      table: { name: header.table.name },
      columns: documentColumns,
      foreignKeys: [],
    },
    losses: losses.map((loss) => `${tableText(header.table)}: ${loss} does not carry over`),
    statements: [],
    after: [],
  }
}

function documentEncoder(bson: Bson, columns: readonly string[]): TableWriter['encode'] {
  const [id, document] = documentColumns as [ColumnHeader, ColumnHeader]
  const place = new Map(columns.map((name, index) => [name, index]))
  const cellOf = (row: Row, name: string) => row[place.get(name) ?? -1] ?? null
  const [writer, reader] = [new DocumentWriter(bson), new DocumentReader(bson)]
  return (row) => {
    const text = cellOf(row, '_id')
    const bytes = written(writer, document, cellOf(row, 'document'), () =>
      text === null ? undefined : idJson(plainText(text)),
    )
    if (text !== null && reader.read(bytes).id !== plainText(text))
      throw new CellRefused(id, `is ${plainText(text)}, and its document has another _id`)
    return bytes
  }
}

function rowEncoder(bson: Bson, table: TableHeader, columns: readonly string[]): TableWriter['encode'] {
  const writer = new DocumentWriter(bson)
  const make = documentMaker(table, columns)
  const [column] = table.columns as [ColumnHeader]
  return (row) => written(writer, column, make(row), () => ({ $oid: new bson.ObjectId().toHexString() }))
}

/** @throws CellRefused */
function written(writer: DocumentWriter, column: ColumnHeader, cell: Cell, id: () => unknown): Buffer {
  try {
    return writer.write(cell, id())
  } catch (error) {
    if (error instanceof NoDocument || error instanceof SyntaxError)
      throw new CellRefused(column, error.message)
    throw error
  }
}

function unique(error: unknown): unknown {
  if (!(error instanceof HoldfastError)) return error
  // FerretDB has an index refused by its own database.
  const said = error.details['code'] === 11_000 || /UNIQUE constraint|duplicate key/u.test(error.message)
  if (!said) return error
  return new HoldfastError('refused.constraint', error.message, { cause: error })
}
