import type { Cell, Row } from '../../engine/cell.js'
import { primaryKeyOf } from '../../engine/row-key.js'
import type { RowQuery, RowSource } from '../../engine/row-source.js'
import { columnNamed, type TableHeader } from '../../engine/table-header.js'
import type { Context } from '../../env/context.js'
import type { Link, SubsetPlan } from './subset-config.js'

/** What an engine is asked for at once. */
export const atOnce = 1000

/** The rows of one table that are in the subset, by what tells them apart. */
export interface Chosen {
  /** The primary key, or a unique one that is never null, or all columns. */
  readonly key: readonly string[]
  /** Rows can be asked for by it: all columns may be of types that know no equality. */
  readonly isUnique: boolean
  /** As JSON texts of the key's cells. */
  readonly rows: ReadonlySet<string>
}

/** A table as the collector reads it: only what tells its rows apart, and what foreign keys need. */
interface Reading {
  readonly header: TableHeader
  readonly key: readonly string[]
  readonly columns: readonly string[]
  readonly chosen: Set<string>
  /** Links to parents, and links from children whose rows are asked for. */
  readonly up: readonly LinkQueue[]
  readonly down: readonly LinkQueue[]
}

/** The values to follow along one link, each once. */
interface LinkQueue {
  readonly link: Link
  readonly seen: Set<string>
  waiting: Row[]
}

/**
 * Follows the foreign keys of a subset until nothing new is found: parents always, children where the plan asks for them. The
 * memory it takes grows with the keys of the rows that are chosen.
 */
export class RowCollector {
  readonly #cx: Context
  readonly #source: RowSource
  readonly #plan: SubsetPlan
  readonly #tables = new Map<TableHeader, Reading>()

  constructor(cx: Context, source: RowSource, plan: SubsetPlan) {
    this.#cx = cx
    this.#source = source
    this.#plan = plan
    const queue = (link: Link): LinkQueue => ({ link, seen: new Set(), waiting: [] })
    const tables = new Set([
      ...plan.roots.keys(),
      ...plan.keep,
      ...plan.links.flatMap(({ child, parent }) => [child, parent]),
    ])
    for (const header of tables) {
      const up = plan.links.filter(({ child }) => child === header).map(queue)
      const down = plan.links
        .filter(({ parent, child }) => parent === header && plan.limits.has(child) && !plan.keep.has(child))
        .map(queue)
      const key = keyOf(header)
      const columns = [
        ...new Set([
          ...key,
          ...up.flatMap(({ link }) => link.columns),
          ...down.flatMap(({ link }) => link.parentColumns),
        ]),
      ]
      this.#tables.set(header, { header, key, columns, chosen: new Set(), up, down })
    }
  }

  /** @throws database.query-failed for a condition that the engine does not understand */
  async collect(): Promise<ReadonlyMap<TableHeader, Chosen>> {
    for (const header of this.#plan.keep) await this.#take(this.#reading(header), {})
    for (const [header, { where, limit }] of this.#plan.roots)
      await this.#take(this.#reading(header), {
        ...(where === undefined ? {} : { where }),
        ...(limit === undefined ? {} : { limit }),
      })
    for (let link = this.#next(); link !== undefined; link = this.#next()) await this.#follow(link)
    return new Map(
      [...this.#tables].map(([header, { key, chosen }]) => [
        header,
        { key, isUnique: uniqueKey(header) !== undefined, rows: chosen },
      ]),
    )
  }

  #reading(header: TableHeader): Reading {
    const reading = this.#tables.get(header)
    if (reading === undefined) throw new TypeError('a table that the plan does not name')
    return reading
  }

  #next(): { readonly queue: LinkQueue; readonly down: boolean } | undefined {
    for (const { up, down } of this.#tables.values()) {
      const queue = up.find(({ waiting }) => waiting.length > 0)
      if (queue !== undefined) return { queue, down: false }
      const children = down.find(({ waiting }) => waiting.length > 0)
      if (children !== undefined) return { queue: children, down: true }
    }
    return undefined
  }

  async #follow({ queue, down }: { readonly queue: LinkQueue; readonly down: boolean }): Promise<void> {
    const { link } = queue
    const values = queue.waiting.slice(0, atOnce)
    queue.waiting = queue.waiting.slice(atOnce)
    if (down) {
      const limit = this.#plan.limits.get(link.child) ?? 0
      await this.#take(
        this.#reading(link.child),
        { in: { columns: link.columns, values } },
        { columns: link.columns, limit },
      )
    } else if (!this.#plan.keep.has(link.parent)) {
      await this.#take(this.#reading(link.parent), { in: { columns: link.parentColumns, values } })
    }
  }

  /** Chooses the rows that a query finds, at most `limit` for each value of some columns. */
  async #take(
    reading: Reading,
    query: RowQuery,
    each?: { readonly columns: readonly string[]; readonly limit: number },
  ): Promise<void> {
    const isWhole = this.#plan.keep.has(reading.header)
    // Nothing of a table that is kept matters but what it refers to.
    if (isWhole && reading.up.length + reading.down.length === 0) return
    const { columns } = reading
    const cellsOf = picker(columns)
    const key = cellsOf(reading.key)
    const grouped = each === undefined ? undefined : cellsOf(each.columns)
    const counts = new Map<string, number>()
    for await (const chunk of this.#source.rows(reading.header, { ...query, columns })) {
      this.#cx.signal.throwIfAborted()
      for (const row of chunk.rows) {
        if (each !== undefined && grouped !== undefined) {
          const group = JSON.stringify(grouped(row))
          const count = (counts.get(group) ?? 0) + 1
          counts.set(group, count)
          if (count > each.limit) continue
        }
        if (!isWhole) {
          const name = JSON.stringify(key(row))
          if (reading.chosen.has(name)) continue
          reading.chosen.add(name)
        }
        for (const queue of reading.up) wait(queue, cellsOf(queue.link.columns)(row))
        for (const queue of reading.down) wait(queue, cellsOf(queue.link.parentColumns)(row))
      }
    }
  }
}

/** A foreign key with a null in it refers to nothing. */
function wait(queue: LinkQueue, values: Row): void {
  if (values.includes(null)) return
  const text = JSON.stringify(values)
  if (queue.seen.has(text)) return
  queue.seen.add(text)
  queue.waiting.push(values)
}

/** Cells of a row by the names of their columns. */
export function picker(
  columns: readonly string[],
): (names: readonly string[]) => (row: Row) => readonly Cell[] {
  return (names) => {
    const places = names.map((name) => columns.indexOf(name))
    return (row) => places.map((place) => row[place] ?? null)
  }
}

function keyOf(header: TableHeader): readonly string[] {
  return uniqueKey(header) ?? header.columns.map(({ name }) => name)
}

function uniqueKey(header: TableHeader): readonly string[] | undefined {
  const primary = primaryKeyOf(header)
  if (primary.length > 0) return primary
  return header.unique.find((names) => names.every((name) => !columnNamed(header, name).nullable))
}
