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
import { tableText, type ForeignKey, type Sequence, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { listNames, quoteName } from './quoting.js'
import { readTables, type OwnTable } from './rows-catalog.js'
import { mappingOf } from './rows-mapping.js'
import { readRows } from './rows-source.js'
import { ownWrappers } from './rows-write.js'
import { InsertWriter, strictMode } from './rows-writer.js'
import { ServerSession } from './session.js'

export async function openSink(
  cx: Context,
  settings: ConnectionSettings,
  request: RowSinkRequest,
): Promise<RowSink> {
  const session = await ServerSession.open(cx, settings)
  return new MysqlSink(session, request)
}

/**
 * Rows are in one transaction. Definitions are not: tables are made before it, and dropped where it fails; counters are set after
 * it, and set back where it fails.
 */
class MysqlSink implements RowSink {
  readonly capabilities: RowSinkCapabilities
  readonly #session: ServerSession
  readonly #request: RowSinkRequest
  readonly #writers: InsertWriter[] = []
  readonly #created: string[] = []
  #all: readonly OwnTable[] = []
  #tables: readonly TableHeader[] = []
  #orphans: ReadonlyMap<string, number> = new Map()

  constructor(session: ServerSession, request: RowSinkRequest) {
    this.#session = session
    this.#request = request
    // MariaDB's JSON is the text itself.
    const looseTypes =
      session.identity.product === 'MariaDB'
        ? []
        : [
            {
              db: /^json$/u,
              loses:
                'json keeps neither the order of keys nor equal keys, and of a number what a double does',
            },
          ]
    this.capabilities = {
      schemas: false,
      wrappers: ownWrappers,
      fixedScale: true,
      keepsOrder: true,
      looseTypes,
    }
  }

  async tables(): Promise<readonly TableHeader[]> {
    this.#all = await readTables(this.#session)
    return this.#all.map(({ header }) => header)
  }

  mapping(header: TableHeader): TableMapping {
    return mappingOf(header)
  }

  async create(mappings: readonly TableMapping[]): Promise<void> {
    for (const { table, statements } of mappings) {
      for (const sql of statements) await this.#session.query(sql)
      this.#created.push(table.table.name)
    }
    for (const sql of mappings.flatMap(({ after }) => after)) await this.#session.query(sql)
  }

  async begin(tables: readonly TableHeader[]): Promise<void> {
    this.#tables = tables
    const chosen = new Set(tables.map(({ table }) => table.name))
    const loose = this.#all.filter(
      ({ header, transactional }) => !transactional && chosen.has(header.table.name),
    )
    if (loose.length > 0) {
      throw new HoldfastError(
        'usage.not-supported',
        `the storage engine has no transactions, so that a failed load could not be taken back: ${listNames(loose.map(({ header }) => header.table.name))}`,
      )
    }
    await this.#session.query(`SET SESSION sql_mode = '${strictMode}', foreign_key_checks = 0`)
    await this.#session.query('START TRANSACTION')
    this.#orphans = await this.#countOrphans()
    if (this.#request.mode !== 'replace') return
    // TRUNCATE would commit.
    for (const { table } of [...tables].reverse())
      await this.#session.query(`DELETE FROM ${quoteName(table.name)}`)
  }

  writer(table: TableHeader, columns: readonly string[]): TableWriter {
    const writer = new InsertWriter(this.#session, this.#request.mode, table, columns, this.#writers.length)
    this.#writers.push(writer)
    return writer
  }

  rows(table: TableHeader, columns: readonly string[]): AsyncIterable<RowChunk> {
    return readRows(this.#session, table, { columns, anyOrder: true })
  }

  async finish(sequences: Readonly<Record<string, Readonly<Record<string, Sequence>>>>): Promise<LoadFacts> {
    const deleted: Record<string, number> = {}
    for (const writer of [...this.#writers].reverse())
      deleted[tableText(writer.table.table)] = await writer.deleteOthers()
    await this.#requireReferences()
    await this.#session.query('COMMIT')
    await this.#setCounters((table, column, now) => {
      const dumped = sequences[tableText(table.table)]?.[column]?.next
      const kept = this.#request.mode === 'replace' ? [] : [BigInt(now)]
      return [...(dumped === undefined ? [] : [BigInt(dumped)]), ...kept]
    })
    await this.#session.close()
    const ran = this.#all.filter(
      ({ header, triggers }) =>
        triggers.length > 0 && this.#tables.some(({ table }) => table.name === header.table.name),
    )
    return {
      warnings: ran.map(
        ({ header, triggers }) =>
          `triggers of ${header.table.name} cannot be switched off, and ran: ${listNames(triggers)}`,
      ),
      deleted,
    }
  }

  async abandon(): Promise<void> {
    await this.#session.query('ROLLBACK').catch(() => undefined)
    // The counters have moved with the rows, and are not taken back with them.
    if (this.#tables.length > 0 && this.#writers.length > 0)
      await this.#setCounters((_table, _column, now) => [BigInt(now)]).catch(() => undefined)
    await this.#session.query('SET SESSION foreign_key_checks = 0').catch(() => undefined)
    for (const name of this.#created)
      await this.#session.query(`DROP TABLE IF EXISTS ${quoteName(name)}`).catch(() => undefined)
    await this.#session.close()
  }

  /** @param wish what the next id should at least be; `now` is what it was before the load */
  async #setCounters(
    wish: (table: TableHeader, column: string, now: string) => readonly bigint[],
  ): Promise<void> {
    const current = new Map(
      (await readTables(this.#session)).map(({ header }) => [header.table.name, header.sequences]),
    )
    for (const table of this.#tables) {
      for (const [column, { next: now }] of Object.entries(table.sequences)) {
        const name = quoteName(table.table.name)
        const [found] = await this.#session.query<{ last: string | number | null }>(
          `SELECT MAX(${quoteName(column)}) AS last FROM ${name}`,
        )
        const last = found?.last ?? null
        const wanted = [...wish(table, column, now), ...(last === null ? [] : [BigInt(last) + 1n])]
        if (wanted.length === 0) continue
        const next = wanted.reduce((a, b) => (a > b ? a : b))
        if (String(next) !== current.get(table.table.name)?.[column]?.next)
          await this.#session.query(`ALTER TABLE ${name} AUTO_INCREMENT = ${next}`)
      }
    }
  }

  /** Nothing is checked while the rows come in, and nothing makes the server look again: so it is asked. */
  async #requireReferences(): Promise<void> {
    const broken = [...(await this.#countOrphans())].filter(
      ([key, count]) => count > (this.#orphans.get(key) ?? 0),
    )
    if (broken.length === 0) return
    const said = broken.map(([key, count]) => `${count} ${key}`).join('; ')
    throw new HoldfastError('refused.constraint', `rows refer to rows that are not there: ${said}`)
  }

  async #countOrphans(): Promise<ReadonlyMap<string, number>> {
    const chosen = new Set(this.#tables.map(({ table }) => table.name))
    const found = new Map<string, number>()
    for (const { header } of this.#all) {
      for (const key of header.foreignKeys) {
        if (!chosen.has(header.table.name) && !chosen.has(key.references.name)) continue
        const [counted] = await this.#session.query<{ n: string | number }>(orphanSql(header.table.name, key))
        found.set(
          `of ${header.table.name} (${key.columns.join(', ')}) to ${key.references.name}`,
          Number(counted?.n ?? 0),
        )
      }
    }
    return found
  }
}

function orphanSql(child: string, { columns, references, referencedColumns }: ForeignKey): string {
  const filled = columns.map((name) => `c.${quoteName(name)} IS NOT NULL`)
  const same = columns.map(
    (name, place) => `p.${quoteName(referencedColumns[place] ?? '')} = c.${quoteName(name)}`,
  )
  return `SELECT COUNT(*) AS n FROM ${quoteName(child)} c WHERE ${filled.join(' AND ')}
    AND NOT EXISTS (SELECT 1 FROM ${quoteName(references.name)} p WHERE ${same.join(' AND ')})`
}
