import {
  callRule,
  given,
  modelFacts,
  valueRule,
  type FoundModel,
  type Given,
  type ModelOptions,
  type ModelSource,
} from './model-source.js'

/** A column as `getTableConfig` gives it. */
export interface DrizzleColumn {
  readonly name: string
  readonly default?: unknown
  readonly defaultFn?: (() => unknown) | undefined
  readonly onUpdateFn?: (() => unknown) | undefined
}

export interface DrizzleModelOptions<Table> extends ModelOptions {
  /** What the schema's files export; or such modules by name, which are then the groups. */
  readonly schema: Given<Readonly<Record<string, unknown>>>
  /** Of `drizzle-orm/pg-core`, `drizzle-orm/mysql-core` or `drizzle-orm/sqlite-core`. */
  readonly getTableConfig: (table: Table) => {
    readonly name: string
    readonly schema?: string | undefined
    readonly columns: readonly DrizzleColumn[]
  }
  /** `is` of `drizzle-orm` with the table's class: `(value) => is(value, PgTable)`. */
  readonly isTable: (value: unknown) => value is Table
}

/**
 * Defaults (`$defaultFn`, `$onUpdate`, plain `default`) and property names of Drizzle tables.
 *
 * @example
 * models: [drizzleModels({ schema: { shop, auth }, getTableConfig, isTable: (value) => is(value, PgTable) })]
 */
export function drizzleModels<Table>(options: DrizzleModelOptions<Table>): ModelSource {
  return {
    name: 'drizzle',
    read: async () => modelFacts(tablesOf(await given(options.schema), options, []), options),
  }
}

function* tablesOf<Table>(
  module: Readonly<Record<string, unknown>>,
  options: DrizzleModelOptions<Table>,
  groups: readonly string[],
): Generator<FoundModel> {
  for (const [name, value] of Object.entries(module)) {
    if (options.isTable(value)) yield tableOf(name, value, options, groups)
    else if (groups.length === 0 && isModule(value)) yield* tablesOf(value, options, [name])
  }
}

function tableOf<Table>(
  model: string,
  table: Table,
  { getTableConfig }: DrizzleModelOptions<Table>,
  groups: readonly string[],
): FoundModel {
  const { name, schema, columns } = getTableConfig(table)
  const properties = new Map(
    Object.entries(table as object).map(([property, column]) => [column as unknown, property]),
  )
  return {
    model,
    table: name,
    schema,
    groups,
    columns: columns.map((column) => {
      const property = properties.get(column)
      const call = column.defaultFn ?? column.onUpdateFn
      return {
        name: column.name,
        ...(property === undefined ? {} : { property }),
        filling: call === undefined ? valueRuleOf(column.default) : callRule(`${name}.${column.name}`, call),
      }
    }),
  }
}

function valueRuleOf(value: unknown) {
  return value === undefined ? undefined : valueRule(value)
}

/** `import * as shop` or a plain object of exports. */
function isModule(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
