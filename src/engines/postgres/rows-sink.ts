import type { Context } from '../../env/context.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { RowChunk } from '../../engine/row-chunk.js'
import type {
  LoadFacts,
  RowSink,
  RowSinkCapabilities,
  RowSinkRequest,
  TableMapping,
  TableWriter,
} from '../../engine/row-sink.js'
import { tableText, type Sequence, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { resolveConnection } from './connection.js'
import { identifier, literal, qualifiedName } from './quoting.js'
import { readOwnTypes, readTables, type OwnColumn, type OwnTable } from './rows-catalog.js'
import { defaultSchema, mappingOf } from './rows-mapping.js'
import { readRows, rowSettings } from './rows-source.js'
import { asConstraint, CopyWriter } from './rows-writer.js'
import { connectForCopy, type PostgresSession } from './session.js'

export async function openSink(
  cx: Context,
  settings: ConnectionSettings,
  request: RowSinkRequest,
): Promise<RowSink> {
  const session = await connectForCopy(cx, await resolveConnection(cx.env, settings))
  try {
    await session.rows(
      `BEGIN${request.dryRun ? ' READ ONLY' : ''}; ${rowSettings}; SET LOCAL client_encoding = 'UTF8'`,
    )
    return new PostgresSink(cx, session, request, request.create ? await readOwnTypes(session) : new Set())
  } catch (error) {
    await session.close()
    throw error
  }
}

/** Everything is in one transaction: definitions, rows, sequences. */
class PostgresSink implements RowSink {
  readonly capabilities: RowSinkCapabilities = {
    schemas: true,
    defaultSchema,
    wrappers: [],
    fixedScale: true,
    keepsOrder: true,
    looseTypes: [
      { db: /^jsonb$/u, loses: 'jsonb keeps neither the order of keys nor equal keys' },
      { db: /^character\(\d+\)$/u, loses: 'character(n) fills up with blanks what is shorter' },
    ],
  }
  readonly #cx: Context
  readonly #session: PostgresSession
  readonly #request: RowSinkRequest
  readonly #writers: CopyWriter[] = []
  /** What makes the tables as they were, when the rows are in. */
  readonly #undo: string[] = []
  readonly #types: ReadonlySet<string>
  #all: readonly OwnTable[] = []
  #tables: readonly TableHeader[] = []

  constructor(cx: Context, session: PostgresSession, request: RowSinkRequest, types: ReadonlySet<string>) {
    this.#cx = cx
    this.#session = session
    this.#request = request
    this.#types = types
  }

  async tables(): Promise<readonly TableHeader[]> {
    this.#all = await readTables(this.#session)
    return this.#all.map(({ header }) => header)
  }

  mapping(header: TableHeader): TableMapping {
    return mappingOf(header, this.#types)
  }

  async create(mappings: readonly TableMapping[]): Promise<void> {
    const schemas = new Set(
      mappings.flatMap(({ table: { table } }) => (table.schema === undefined ? [] : [table.schema])),
    )
    for (const schema of schemas)
      await this.#session.rows(`CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`)
    for (const sql of [
      ...mappings.flatMap((each) => each.statements),
      ...mappings.flatMap((each) => each.after),
    ])
      await this.#session.rows(sql)
  }

  async begin(tables: readonly TableHeader[]): Promise<void> {
    this.#tables = tables
    // Definitions change before any row does: a table with checks that are still to come cannot be altered.
    await this.#disableTriggers()
    await this.#deferConstraints()
    if (this.#request.mode === 'replace' && tables.length > 0)
      await this.#session.rows(`TRUNCATE ${tables.map((table) => nameOf(table)).join(', ')}`)
    await this.#session.rows('SET CONSTRAINTS ALL DEFERRED')
  }

  writer(table: TableHeader, columns: readonly string[]): TableWriter {
    const writer = new CopyWriter(this.#session, this.#request.mode, table, columns, this.#writers.length)
    this.#writers.push(writer)
    return writer
  }

  rows({ table }: TableHeader, columns: readonly string[]): AsyncIterable<RowChunk> {
    const own = this.#all.find(({ header }) => tableText(header.table) === tableText(table))
    if (own === undefined) throw new TypeError(`${tableText(table)} is no table of this database`)
    return readRows(this.#cx, this.#session, own, { columns, anyOrder: true })
  }

  async finish(sequences: Readonly<Record<string, Readonly<Record<string, Sequence>>>>): Promise<LoadFacts> {
    const deleted: Record<string, number> = {}
    try {
      for (const writer of [...this.#writers].reverse())
        deleted[tableText(writer.table.table)] = await writer.deleteOthers()
      await this.#session.rows('SET CONSTRAINTS ALL IMMEDIATE')
    } catch (error) {
      await this.abandon()
      throw asConstraint(error)
    }
    for (const sql of this.#undo) await this.#session.rows(sql)
    for (const table of this.#tables) await this.#setSequences(table, sequences[tableText(table.table)] ?? {})
    await this.#session.rows('COMMIT')
    await this.#session.close()
    return { warnings: [], deleted }
  }

  async abandon(): Promise<void> {
    await this.#session.rows('ROLLBACK').catch(() => undefined)
    await this.#session.close()
  }

  async #disableTriggers(): Promise<void> {
    const triggers = await this.#session.rows<{ table: string; name: string; state: string }>(
      `SELECT g.tgrelid::pg_catalog.regclass::text AS table, g.tgname::text AS name, g.tgenabled::text AS state FROM pg_catalog.pg_trigger g
       WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgparentid = 0 AND g.tgrelid = ANY (${this.#oids()})`,
    )
    for (const { table, name, state } of triggers) {
      await this.#session.rows(`ALTER TABLE ${table} DISABLE TRIGGER ${identifier(name)}`)
      this.#undo.push(
        `ALTER TABLE ${table} ENABLE ${state === 'A' ? 'ALWAYS ' : ''}TRIGGER ${identifier(name)}`,
      )
    }
  }

  /** Keys within a cycle are checked at the end; a table that refers to itself is loaded by one statement, which is enough. */
  async #deferConstraints(): Promise<void> {
    const place = new Map(this.#tables.map(({ table }, index) => [tableText(table), index]))
    for (const [index, table] of this.#tables.entries()) {
      for (const { name, references } of table.foreignKeys) {
        const parent = place.get(tableText(references))
        const backwards =
          parent !== undefined && (parent > index || (parent === index && this.#request.mode !== 'replace'))
        if (!backwards || name === undefined || (await this.#isDeferrable(table, name))) continue
        const alter = `ALTER TABLE ${nameOf(table)} ALTER CONSTRAINT ${identifier(name)}`
        await this.#session.rows(`${alter} DEFERRABLE INITIALLY DEFERRED`).catch((error: unknown) => {
          throw notDeferred(error, table, name)
        })
        this.#undo.push(`${alter} NOT DEFERRABLE`)
      }
    }
  }

  async #isDeferrable(table: TableHeader, constraint: string): Promise<boolean> {
    const [found] = await this.#session.rows<{ deferrable: boolean }>(
      `SELECT condeferrable AS deferrable FROM pg_catalog.pg_constraint WHERE conname = ${literal(constraint)} AND conrelid = ${regclass(table)}`,
    )
    return found?.deferrable === true
  }

  /** `ALTER SEQUENCE … RESTART` is taken back with the transaction; `setval` is not. */
  async #setSequences(table: TableHeader, dumped: Readonly<Record<string, Sequence>>): Promise<void> {
    for (const column of table.columns) {
      const { sequence } = (column.own ?? {}) as OwnColumn
      const now = table.sequences[column.name]
      if (sequence === undefined || now === undefined) continue
      const increment = BigInt(now.increment)
      const extreme = increment > 0n ? 'max' : 'min'
      const [found] = await this.#session.rows<{ last: string | null }>(
        `SELECT ${extreme}(${identifier(column.name)})::text AS last FROM ${nameOf(table)}`,
      )
      const wanted = [
        ...(found?.last === null || found?.last === undefined ? [] : [BigInt(found.last) + increment]),
        ...(dumped[column.name] === undefined ? [] : [BigInt(dumped[column.name]?.next ?? 0)]),
        ...(this.#request.mode === 'replace' ? [] : [BigInt(now.next)]),
      ]
      if (wanted.length === 0) continue
      const next = wanted.reduce((a, b) => ((increment > 0n ? a > b : a < b) ? a : b))
      if (next !== BigInt(now.next))
        await this.#session.rows(`ALTER SEQUENCE ${sequence} RESTART WITH ${next}`)
    }
  }

  #oids(): string {
    return `ARRAY[${this.#tables.map(regclass).join(', ')}]::pg_catalog.oid[]`
  }
}

function notDeferred(error: unknown, table: TableHeader, key: string): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'database.denied') return error
  return new HoldfastError(
    'database.denied',
    `${key} of ${tableText(table.table)} closes a circle of keys, which only the table's owner can have checked at the end`,
    { cause: error },
  )
}

function nameOf({ table: { schema = defaultSchema, name } }: TableHeader): string {
  return qualifiedName(schema, name)
}

function regclass(table: TableHeader): string {
  return `${literal(nameOf(table))}::pg_catalog.regclass`
}
