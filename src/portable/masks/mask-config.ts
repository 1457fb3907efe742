import { wildcard } from '../../engine/selection.js'
import { tableText, type TableHeader } from '../../engine/table-header.js'
import type { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import type { MaskRule } from './mask-rule.js'

/** Rules by column; `*` stands for any characters: `{ email: mask.email(), 'password*': mask.const('x') }`. */
export type MaskColumns = Readonly<Record<string, MaskRule>>

/**
 * Which columns of a dump are masked, by table and column. A table is `users`, `public.users` or a pattern such as `*`; a name
 * wins over a pattern, the table's before the column's, and the first of several patterns wins.
 */
export interface MaskConfig {
  /** `allowlist`: a column without a rule fails the dump. Default `listed`: it stays as it is. */
  readonly mode?: 'allowlist' | 'listed'
  /** Of at least 16 characters. Whoever knows it can tell whose masked value it is: keep it as a password. */
  readonly key?: string | Secret
  readonly [table: string]: MaskColumns | string | Secret | undefined
}

/** A rule, and where it stands. */
export interface FoundRule {
  readonly rule: MaskRule
  /** `mask.*.password*` */
  readonly place: string
}

interface ColumnRule extends FoundRule {
  readonly column: string
  readonly matches: (name: string) => boolean
  readonly exact: boolean
}

interface TableRules {
  readonly table: string
  readonly matches: (header: TableHeader) => boolean
  readonly exact: boolean
  readonly columns: readonly ColumnRule[]
}

/** The rules of a configuration, to be asked for each column. */
export class MaskRules {
  readonly #tables: readonly TableRules[]

  constructor(config: MaskConfig) {
    const tables = Object.entries(config).flatMap(([table, columns]) =>
      table === 'mode' || table === 'key' || columns === undefined
        ? []
        : [rulesOf(table, columns as MaskColumns)],
    )
    this.#tables = [...tables.filter(({ exact }) => exact), ...tables.filter(({ exact }) => !exact)]
  }

  ruleFor(header: TableHeader, column: string): FoundRule | undefined {
    for (const { matches, columns } of this.#tables) {
      if (!matches(header)) continue
      const found = columns.find((each) => each.matches(column))
      if (found !== undefined) return found
    }
    return undefined
  }

  /**
   * A misspelt name would leave a column as it is.
   * @param all every table of the database, dumped or not
   * @throws config.invalid for a name, not a pattern, of a table or column that is not there
   */
  checkNames(all: readonly TableHeader[]): void {
    for (const { table, matches, exact, columns } of this.#tables) {
      const meant = all.filter(matches)
      if (exact && meant.length === 0)
        throw new HoldfastError('config.invalid', `mask.${table}: there is no table ${table}`, {
          hint: `the tables are ${listed(all.map((each) => tableText(each.table)))}`,
        })
      for (const { column, exact: exactColumn, place } of columns) {
        const names = meant.flatMap((each) => [...each.columns, ...each.generated].map(({ name }) => name))
        if (exactColumn && !names.includes(column))
          throw new HoldfastError('config.invalid', `${place}: there is no column ${column}`, {
            hint: exact
              ? `the columns of ${table} are ${listed(names)}`
              : 'correct the name, or make it a pattern',
          })
      }
    }
  }
}

function rulesOf(table: string, columns: MaskColumns): TableRules {
  const rules = Object.entries(columns).map(([column, rule]) => ({
    column,
    rule,
    place: `mask.${table}.${column}`,
    ...nameTest(column),
  }))
  const { matches, exact } = nameTest(table)
  return {
    table,
    exact,
    matches: (header) => matches(header.table.name) || matches(tableText(header.table)),
    columns: [...rules.filter((rule) => rule.exact), ...rules.filter((rule) => !rule.exact)],
  }
}

/** A pattern means names in upper and lower case alike: it is better to mask too much. */
function nameTest(name: string): { readonly matches: (name: string) => boolean; readonly exact: boolean } {
  if (!name.includes('*')) return { matches: (other) => other === name, exact: true }
  const expression = wildcard(name, 'isu')
  return { matches: (other) => expression.test(other), exact: false }
}

function listed(names: readonly string[]): string {
  return names.length > 12
    ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more`
    : names.join(', ')
}
