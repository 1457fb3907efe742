import { ignoring, leftOut, namedWords, type DumpBase } from './dump-plan.js'
import type { Inventory, TableEntry } from './inventory.js'
import { integerKeys, keyRanges } from './key-ranges.js'
import type { ServerSession } from './session.js'

/** Some of the rows of a database, which one run of the dump tool writes. */
export interface Piece {
  /** The name of its part: `00001-orders`. */
  readonly name: string
  /** Where they are all of one table. */
  readonly table?: string
  /** What tells the tool which they are, the database's name included. */
  readonly args: readonly string[]
}

export interface PieceSizes {
  /** In the database: what is smaller is not worth a run of its own. */
  readonly pieceBytes: number
}

export const usualSizes: PieceSizes = { pieceBytes: 8 * 1024 * 1024 }

export interface PieceChoice {
  readonly sizes: PieceSizes
  /** As many as there may be: the tool cannot wait, since a server ends a connection that nobody reads from for a minute. */
  readonly most: number
  /** The user has words of their own behind ours. */
  readonly hasSuffix: boolean
}

/** What one run dumps: a table or a range of one, or several tables. */
interface Share {
  readonly tables: readonly TableEntry[]
  readonly where?: string
}

/** Divides the rows into pieces of about the same size. @throws database.* */
export async function findPieces(
  session: ServerSession,
  base: DumpBase,
  { sizes, most, hasSuffix }: PieceChoice,
): Promise<readonly Piece[]> {
  const { inventory, selection } = base
  const out = new Set([...selection.excluded, ...selection.withoutRows])
  const filled = inventory.tables.filter(({ name }) => !out.has(name))
  if (filled.length === 0) return []
  const bytes = sum(filled)
  const count = Math.min(most, Math.max(1, Math.floor(bytes / sizes.pieceBytes)))
  const nameable = nameableOf(inventory, hasSuffix)
  const large = filled
    .filter((table) => nameable(table.name) && table.bytes > (0.75 * bytes) / count)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, count - 1)
  const small = filled.filter((table) => !large.includes(table))
  const shares = await sharesOf(session, large, { bytes, count: count - (small.length === 0 ? 0 : 1) })
  const { placed, rest } = binsOf(small, nameable, count - shares.length)
  const { name: database } = session.settings
  const named = namedWords(database, hasSuffix)
  const namesOf = (tables: readonly TableEntry[]) => tables.map(({ name }) => name)
  // Whatever is in no other piece: a list of names could be longer than a command line.
  const others = [...selection.withoutRows, ...namesOf([...large, ...placed.flat()])]
  const ignored = ignoring(database, [...leftOut(inventory, selection.excluded), ...others])
  const choosing = (tables: readonly TableEntry[]) =>
    tables === rest ? [...ignored, ...named] : [...named, ...namesOf(tables)]
  const bins = [...placed, rest].filter((tables) => tables.length > 0).map((tables): Share => ({ tables }))
  return [...shares, ...bins].map(({ tables, where }, place) => {
    const [only] = tables.length === 1 ? tables : []
    // Keys are turned off for a table as a whole, and others may be writing into it.
    const range = where === undefined ? [] : ['--skip-disable-keys', `--where=${where}`]
    return {
      name: `${String(place + 1).padStart(5, '0')}${readable(only?.name)}`,
      ...(only === undefined ? {} : { table: only.name }),
      args: [...range, ...choosing(tables)],
    }
  })
}

/** Large tables, in ranges of their keys where the engine has snapshots and the key is an integer. */
async function sharesOf(
  session: ServerSession,
  large: readonly TableEntry[],
  { bytes, count }: { readonly bytes: number; readonly count: number },
): Promise<readonly Share[]> {
  const divisible = large.filter(({ engine, versioned }) => engine === 'InnoDB' && !versioned)
  const keys = await integerKeys(
    session,
    divisible.map(({ name }) => name),
  )
  const shares: Share[] = []
  for (const [place, table] of large.entries()) {
    const others = large.length - place - 1
    const room = count - shares.length - others
    const wanted = Math.min(room, Math.max(1, Math.round((table.bytes * count) / bytes)))
    const key = keys.get(table.name)
    const ranges = wanted < 2 || key === undefined ? [''] : await keyRanges(session, table.name, key, wanted)
    for (const where of ranges) shares.push({ tables: [table], ...(where === '' ? {} : { where }) })
  }
  return shares
}

/** So many of the small tables have a place of their own; the rest is one. */
const mostPlaced = 100

/** Bins of about the same size, of which one is the rest. */
function binsOf(
  small: readonly TableEntry[],
  nameable: (name: string) => boolean,
  count: number,
): { readonly placed: readonly (readonly TableEntry[])[]; readonly rest: readonly TableEntry[] } {
  const bySize = small.filter(({ name }) => nameable(name)).toSorted((a, b) => b.bytes - a.bytes)
  const movable = count < 2 ? [] : bySize.slice(0, mostPlaced)
  const rest = small.filter((table) => !movable.includes(table))
  const bins: TableEntry[][] = [rest, ...Array.from({ length: Math.max(0, count - 1) }, () => [])]
  const sizes = bins.map(sum)
  for (const table of movable) {
    const smallest = sizes.indexOf(Math.min(...sizes))
    bins[smallest]?.push(table)
    sizes[smallest] = (sizes[smallest] ?? 0) + table.bytes
  }
  return { placed: bins.slice(1), rest }
}

/** The tools compare names without regard to case, and take a word that begins with a dash for an option. */
function nameableOf({ tables, views, sequences }: Inventory, hasSuffix: boolean): (name: string) => boolean {
  const times = new Map<string, number>()
  for (const name of [...tables.map((table) => table.name), ...views, ...sequences]) {
    const folded = name.toLowerCase()
    times.set(folded, (times.get(folded) ?? 0) + 1)
  }
  return (name) => times.get(name.toLowerCase()) === 1 && !(hasSuffix && name.startsWith('-'))
}

function sum(tables: readonly TableEntry[]): number {
  return tables.reduce((total, { bytes }) => total + bytes, 0)
}

function readable(table = ''): string {
  return /^\w{1,60}$/u.test(table) ? `-${table}` : ''
}
