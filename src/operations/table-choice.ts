import { migrationTables } from '../engine/migrations.js'
import { selectTables } from '../engine/selection.js'
import { tableText, type TableHeader } from '../engine/table-header.js'
import { HoldfastError } from '../errors.js'
import type { TableChoice } from './portable-requests.js'

/** @throws usage.pattern-unmatched for a name that is neither a table, a pattern that matches, nor a group */
export function chooseTables(
  all: readonly TableHeader[],
  choice: TableChoice,
  groups: Readonly<Record<string, readonly string[]>>,
): readonly TableHeader[] {
  const { tables = [], groups: wanted = [], exclude = [], allowMissing = false } = choice
  const names = new Set(all.map(({ table }) => table))
  const matching = (pattern: string) => selectTables([pattern], [...names], 'exclude', true)
  const included = new Set(tables.length + wanted.length === 0 ? names : undefined)
  const unmatched: string[] = []
  for (const pattern of tables) {
    const found = matching(pattern)
    const ofGroup = found.length > 0 ? [] : (groups[pattern] ?? []).flatMap(matching)
    for (const table of [...found, ...ofGroup]) included.add(table)
    if (found.length + ofGroup.length === 0) unmatched.push(pattern)
  }
  for (const name of wanted) {
    const patterns = groups[name]
    if (patterns === undefined)
      throw new HoldfastError(
        'usage.invalid',
        `there is no group ${name}; known: ${Object.keys(groups).join(', ') || 'none'}`,
      )
    for (const table of patterns.flatMap(matching)) included.add(table)
  }
  if (unmatched.length > 0 && !allowMissing) {
    const known = Object.keys(groups)
    throw new HoldfastError(
      'usage.pattern-unmatched',
      `no table${known.length === 0 ? '' : ' or group'} is called ${unmatched.join(', ')}`,
      {
        hint: `the tables are ${[...names].map(tableText).slice(0, 12).join(', ')}${known.length === 0 ? '' : `; the groups are ${known.join(', ')}`}`,
      },
    )
  }
  for (const table of selectTables(exclude, [...names], 'exclude', allowMissing)) included.delete(table)
  const chosen = all.filter(({ table }) => included.has(table))
  return choice.withMigrations === true
    ? chosen
    : chosen.filter((header) => !isMigrationState(header) || namedOutright(header, tables))
}

function namedOutright({ table }: TableHeader, tables: readonly string[]): boolean {
  return tables.includes(table.name) || tables.includes(tableText(table))
}

function isMigrationState({ table, columns }: TableHeader): boolean {
  const names = new Set(columns.map(({ name }) => name))
  return migrationTables.some(
    (known) =>
      known.table === table.name &&
      (known.schema === undefined || known.schema === table.schema) &&
      known.columns.every((name) => names.has(name)),
  )
}
