import { quoteName } from './quoting.js'
import type { ServerSession } from './session.js'

/** By table, the column that its primary key begins with, where that is an integer. */
export async function integerKeys(
  session: ServerSession,
  tables: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (tables.length === 0) return new Map()
  const rows = await session.query<{ tab: string; name: string }>(
    `SELECT s.TABLE_NAME AS tab, s.COLUMN_NAME AS name FROM information_schema.STATISTICS s
      JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME
        AND c.COLUMN_NAME = s.COLUMN_NAME
      WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME IN (?) AND s.INDEX_NAME = 'PRIMARY' AND s.SEQ_IN_INDEX = 1
        AND c.DATA_TYPE IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')`,
    [session.settings.name, tables],
  )
  return new Map(rows.map(({ tab, name }) => [tab, name]))
}

/**
 * Conditions that divide the rows of a table into ranges of its key, as many as wanted where there are as many values, and of the same
 * width: keys that are counted up fill them alike. The first and the last have no end, so that no key is in none.
 */
export async function keyRanges(
  session: ServerSession,
  table: string,
  column: string,
  wanted: number,
): Promise<readonly string[]> {
  const key = quoteName(column)
  const [row] = await session.query<{ least: string | null; most: string | null }>(
    `SELECT CAST(MIN(${key}) AS CHAR) AS least, CAST(MAX(${key}) AS CHAR) AS most FROM ${quoteName(table)}`,
  )
  const least = BigInt(row?.least ?? 0)
  const width = BigInt(row?.most ?? 0) - least + 1n
  const cuts = new Set<bigint>()
  for (let part = 1n; part < BigInt(wanted); part++) {
    const cut = least + (width * part) / BigInt(wanted)
    if (cut > least) cuts.add(cut)
  }
  const bounds = [...cuts]
  return [undefined, ...bounds].map((from, place) => {
    const to = bounds[place]
    const both = [
      ...(from === undefined ? [] : [`${key} >= ${from}`]),
      ...(to === undefined ? [] : [`${key} < ${to}`]),
    ]
    return both.join(' AND ')
  })
}
