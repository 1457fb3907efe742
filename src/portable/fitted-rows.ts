import type { Cell, Row } from '../engine/cell.js'
import { CellRefused, type EncodedRow, type TableWriter } from '../engine/row-sink.js'
import type { ColumnHeader, LogicalType } from '../engine/table-header.js'
import { castTo, type Cast } from './casts.js'
import { ruleValue } from './default-values.js'
import { DocumentFields, fieldAt } from './documents/document-fields.js'
import { asField, fieldCast, missingField } from './documents/field-cast.js'
import type { ColumnPlan, TablePlan } from './evolution.js'
import { SentRows } from './sent-rows.js'
import type { SourceTable } from './table-source.js'
import type { CastPolicy, Filling, NamedRow, RowContext, RuleHooks } from './table-rules.js'

/** Cells of one column that did not fit. */
export interface CellProblem {
  readonly column: string
  readonly policy: CastPolicy
  count: number
  /** The first few: `users.ndjson:12: bal is 12.345, with more than 2 decimals`. */
  readonly samples: string[]
}

export interface FittedCounts {
  read: number
  /** Rows that a hook has left out. */
  left: number
  readonly problems: Map<string, CellProblem>
  /** Of columns that are dropped or unknown: how many values were not null. */
  readonly lost: Map<string, number>
  /** The same of fields of documents, which are known when they are read. */
  readonly unknownFields: ReadonlyMap<string, number>
}

export interface FittingOptions {
  readonly now: string
  readonly hooks: RuleHooks
  /** What the target can hold beyond its types. */
  readonly wrappers: readonly string[]
  readonly fixedScale: boolean
  /** Rows come back from it in the order in which they were sent. */
  readonly keepsOrder: boolean
  /** Stop at the first cell that does not fit. */
  readonly errorQuit: boolean
  /** What is sent will be compared with what has arrived. */
  readonly compare: boolean
}

const samplesKept = 5

/** Turns rows of a dump into rows of the target, and counts what did not fit. */
export class RowFitter {
  readonly counts: FittedCounts
  readonly columns: readonly string[]
  readonly sent: SentRows
  readonly #plan: TablePlan
  readonly #table: SourceTable
  readonly #options: FittingOptions
  readonly #context: RowContext
  readonly #written: readonly ColumnPlan[]
  readonly #casts: readonly Cast[]
  readonly #places: readonly number[]
  readonly #lost: readonly (readonly [string, number])[]
  readonly #simple: boolean
  readonly #documents: DocumentFields | undefined

  constructor(plan: TablePlan, table: SourceTable, options: FittingOptions) {
    this.#plan = plan
    this.#table = table
    this.#options = options
    this.#context = { table: plan.source.table.name, now: options.now }
    this.#written = plan.columns.filter(({ source }) => ['file', 'field', 'filled'].includes(source.kind))
    this.columns = this.#written.map(({ target }) => target.name)
    this.sent = new SentRows(this.#written, plan, table, options)
    this.#casts = this.#written.map(({ target, source }) => {
      const from = source.kind === 'file' ? typeOf(plan, source.column) : undefined
      const cast = castTo(target, options.wrappers, options.fixedScale, from)
      return notNull(target, source.kind === 'field' ? fieldCast(target, cast) : cast)
    })
    const place = (name: string) => plan.source.columns.findIndex((column) => column.name === name)
    this.#places = this.#written.map(({ source }) => (source.kind === 'file' ? place(source.column) : -1))
    this.#lost = [...plan.dropped, ...plan.unknown].map((name) => [name, place(name)] as const)
    const paths = this.#written.flatMap(({ source }) => (source.kind === 'field' ? [source.path] : []))
    this.#documents = paths.length === 0 ? undefined : new DocumentFields(paths, plan.rules.drop ?? [])
    const unknownFields = this.#documents?.unknown ?? new Map<string, number>()
    this.counts = { read: 0, left: 0, problems: new Map(), lost: new Map(), unknownFields }
    this.#simple =
      plan.rules.row === undefined &&
      this.#written.every(({ source }) => source.kind === 'file' && source.onNull === undefined)
  }

  /** @throws CellRefused's message at once with `errorQuit`; otherwise problems are in `counts` */
  async *fitted(writer: TableWriter): AsyncGenerator<readonly EncodedRow[]> {
    for await (const chunk of this.#table.rows) {
      const batch: EncodedRow[] = []
      for (const row of chunk.rows) {
        this.counts.read += 1
        for (const [name, at] of this.#lost)
          if ((row[at] ?? null) !== null) this.counts.lost.set(name, (this.counts.lost.get(name) ?? 0) + 1)
        if (this.#documents !== undefined) this.#add(batch, this.#fields(this.#documents, row), row, writer)
        else if (this.#simple) this.#add(batch, this.#moved(row), row, writer)
        else for (const cells of this.#rows(row)) this.#add(batch, cells, row, writer)
      }
      // Where no row of them fits there is nothing to send.
      if (batch.length > 0) yield batch
    }
  }

  #rows(row: Row): readonly Cell[][] {
    const named = Object.fromEntries(this.#plan.source.columns.map(({ name }, at) => [name, row[at] ?? null]))
    const changed = this.#plan.rules.row === undefined ? named : this.#plan.rules.row(named, this.#context)
    if (changed === null) {
      this.counts.left += 1
      return []
    }
    return (Array.isArray(changed) ? (changed as readonly NamedRow[]) : [changed as NamedRow]).map((each) =>
      this.#cells(each),
    )
  }

  /** Where each cell comes from one of the file: this is done for nearly every row there is. */
  #moved(row: Row): Cell[] {
    const cells: Cell[] = []
    for (const place of this.#places) cells.push(row[place] ?? null)
    return cells
  }

  #fields(documents: DocumentFields, row: Row): Cell[] {
    const cell = row[1] ?? null
    const document = documents.read(cell)
    // What no JSON says has no fields: each cast refuses it.
    if (document === undefined) return this.#written.map(() => cell)
    return this.#written.map(({ source }) => {
      if (source.kind === 'filled') return this.#filled(source.filling, document)
      if (source.kind !== 'field') return null
      const value = fieldAt(document, source.path)
      if (value !== undefined && (value !== null || source.onNull === undefined)) return asField(value)
      const filling = value === undefined ? source.onMissing : source.onNull
      if (filling === undefined) return null
      return filling === 'refused' ? missingField : this.#filled(filling, document)
    })
  }

  #cells(named: NamedRow): Cell[] {
    return this.#written.map(({ source, target }) => {
      if (target.name in named && source.kind !== 'file') return named[target.name] ?? null
      if (source.kind === 'filled') return this.#filled(source.filling, named)
      if (source.kind !== 'file') return null
      const cell =
        named[source.column] ?? (source.column === target.name ? null : (named[target.name] ?? null))
      return cell === null && source.onNull !== undefined ? this.#filled(source.onNull, named) : cell
    })
  }

  #filled(filling: Filling, row: NamedRow): Cell {
    return typeof filling === 'function'
      ? filling(row, this.#context)
      : ruleValue(filling, row, this.#context, this.#options.hooks)
  }

  /** Adds the row as the engine takes it, where all of its cells fit. */
  #add(batch: EncodedRow[], cells: Cell[], read: Row, writer: TableWriter): void {
    let fits = true
    for (let at = 0; at < this.#casts.length; at++) {
      try {
        cells[at] = (this.#casts[at] as Cast)(cells[at] ?? null)
      } catch (error) {
        fits = this.#replaced(cells, error) && fits
      }
    }
    while (fits) {
      try {
        batch.push(writer.encode(cells))
        this.sent.add(cells, read)
        return
      } catch (error) {
        fits = this.#replaced(cells, error)
      }
    }
  }

  /** Puts in place of a cell what the column can hold, where its policy allows it. @returns whether it did */
  #replaced(cells: Cell[], error: unknown): boolean {
    if (!(error instanceof CellRefused)) throw error
    const policy = this.#plan.rules.cast?.[error.column] ?? 'error'
    const replaced = policy !== 'error' && error.instead !== undefined
    this.#note(error, replaced ? policy : 'error')
    if (replaced) cells[this.columns.indexOf(error.column)] = error.instead ?? null
    return replaced
  }

  /** Of the row that was read last. */
  #place(): string {
    return this.#table.place(this.counts.read - 1)
  }

  #note({ column, message }: CellRefused, policy: CastPolicy): void {
    const key = `${column} ${policy}`
    const problem = this.counts.problems.get(key) ?? { column, policy, count: 0, samples: [] }
    problem.count += 1
    if (problem.samples.length < samplesKept) problem.samples.push(`${this.#place()}: ${column} ${message}`)
    this.counts.problems.set(key, problem)
    if (policy === 'error' && this.#options.errorQuit) throw new FirstProblem(problem.samples[0] ?? message)
  }
}

function notNull(target: ColumnHeader, cast: Cast): Cast {
  if (target.nullable) return cast
  return (cell) => {
    const fitting = cast(cell)
    if (fitting === null) throw new CellRefused(target, 'is null, and may not be')
    return fitting
  }
}

function typeOf({ source }: TablePlan, name: string): LogicalType | undefined {
  return source.columns.find((column) => column.name === name)?.type
}

/** What `errorQuit` stops a load with. */
export class FirstProblem extends Error {}
