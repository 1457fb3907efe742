import { typeParts } from '../engine/logical-type.js'
import type { Row } from '../engine/cell.js'
import type { RowChunk } from '../engine/row-chunk.js'
import type { ColumnHeader } from '../engine/table-header.js'
import { isSameType, type ColumnPlan, type TablePlan } from './evolution.js'
import { RowDigest } from './row-digest.js'
import type { LinesDigest, SourceTable } from './table-source.js'

/** Types of which a cell that fits has one form on every engine. */
const oneForm = new Set('i8 i16 i24 i32 i64 u8 u16 u24 u32 u64 bool text bytes uuid date enum f64'.split(' '))

export interface SentOptions {
  /** The values are going to be compared, not only their number. */
  readonly compare: boolean
  readonly fixedScale: boolean
  readonly keepsOrder: boolean
}

/** The rows that were sent to a table, so that they can be compared with what it holds afterwards. */
export class SentRows {
  /** The columns whose values are compared. The others may have another form at the target: their rows are only counted. */
  readonly columns: readonly string[]
  readonly #places: readonly number[]
  readonly #whole: boolean
  readonly #digests: boolean
  readonly #digest = new RowDigest()
  /** The digest of the rows as they were read, where that is known without a look at each: then only changed rows are digested. */
  readonly #known: SourceTable['sum64']
  readonly #changed = new RowDigest()
  /** Likewise of their lines, where those are most likely there in the same order. */
  readonly #lines: LinesDigest | undefined
  #count = 0
  #changes = 0

  /** @param columns those that are written, in the order of a row's cells */
  constructor(
    columns: readonly ColumnPlan[],
    plan: TablePlan,
    read: SourceTable,
    { compare, fixedScale, keepsOrder }: SentOptions,
  ) {
    const compared = columns.flatMap((column, place) =>
      isComparable(column, plan, fixedScale) ? [{ column, place }] : [],
    )
    this.columns = compared.map(({ column }) => column.target.name)
    this.#places = compared.map(({ place }) => place)
    this.#whole = compared.length === columns.length
    this.#digests = compare
    const asRead = this.#whole && isAsRead(columns, plan)
    this.#known = asRead ? read.sum64 : undefined
    // Another engine may sort texts otherwise.
    this.#lines = asRead && keepsOrder && plan.sameEngine ? read.lines : undefined
  }

  get count(): number {
    return this.#count
  }

  /** @param read the row that they were made of */
  add(cells: Row, read: Row): void {
    this.#count += 1
    if (!this.#digests) return
    if (this.#known !== undefined) {
      if (isSame(cells, read)) return
      this.#changes += 1
      this.#changed.add(JSON.stringify(read))
    }
    const compared = this.#whole ? cells : this.#places.map((place) => cells[place] ?? null)
    this.#digest.add(JSON.stringify(compared))
  }

  /**
   * Whether the rows, which have the cells of `columns`, are those that were sent; says what differs.
   * @param read gives them from the first on each time it is called
   */
  async difference(read: () => AsyncIterable<RowChunk>): Promise<string | undefined> {
    if (this.#changes === 0 && (await this.#areSameLines(read))) return undefined
    const found = new RowDigest()
    let count = 0
    for await (const chunk of read()) {
      count += chunk.count
      found.addLines(chunk.lines)
    }
    if (count !== this.#count) return `it holds ${count} rows, and ${this.#count} were sent`
    return found.sum64 === this.#sum64() ? undefined : 'it holds other values than were sent'
  }

  /** Whether they are, line by line, what the file holds: one digest of all takes less than one of each row. */
  async #areSameLines(read: () => AsyncIterable<RowChunk>): Promise<boolean> {
    const wanted = this.#lines?.sha256()
    if (this.#lines === undefined || wanted === undefined) return false
    const found = this.#lines.begun()
    for await (const chunk of read()) found.update(chunk.lines)
    return found.digest('hex') === wanted
  }

  #sum64(): string {
    const known = this.#known?.()
    if (known === undefined) return this.#digest.sum64
    const sum = BigInt(`0x${known}`) - BigInt(`0x${this.#changed.sum64}`) + BigInt(`0x${this.#digest.sum64}`)
    return BigInt.asUintN(64, sum).toString(16).padStart(16, '0')
  }
}

function isSame(cells: Row, read: Row): boolean {
  for (let place = 0; place < cells.length; place++) if (cells[place] !== read[place]) return false
  return true
}

/** Whether rows are sent with just the columns that they have in the file, in the same order. */
function isAsRead(columns: readonly ColumnPlan[], { source: from, rules }: TablePlan): boolean {
  return (
    rules.row === undefined &&
    columns.length === from.columns.length &&
    columns.every(
      ({ source }, place) =>
        source.kind === 'file' && source.onNull === undefined && source.column === from.columns[place]?.name,
    )
  )
}

function isComparable(
  { source, target }: ColumnPlan,
  { source: from, sameEngine }: Pick<TablePlan, 'source' | 'sameEngine'>,
  fixedScale: boolean,
): boolean {
  if (source.kind === 'field')
    return oneForm.has(typeParts(target.type).base) && !isPadded(target) && !target.type.endsWith('[]')
  if (source.kind !== 'file') return false
  const own = from.columns.find(({ name }) => name === source.column)
  if (own === undefined) return false
  const { base, array } = typeParts(target.type)
  // Blanks or NULs are added to what is shorter, and some JSON types keep less than was written.
  if (isPadded(target) || base === 'json') return isSameType(target, own, sameEngine)
  // SQLite may keep 12.50 as 12.5; the other engines give it the decimals of its column, as the cast has done.
  if (base === 'numeric') return own.type === target.type && fixedScale
  return own.type === target.type || (!array && oneForm.has(base))
}

function isPadded({ db = '' }: ColumnHeader): boolean {
  return /^(?:n?char|character|bpchar|binary)\b(?! varying)/iu.test(db)
}
