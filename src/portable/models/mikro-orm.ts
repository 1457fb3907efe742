import type { Cell } from '../../engine/cell.js'
import type { DefaultRule } from '../../engine/table-header.js'
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

/** What of MikroORM is read: `getAll` gives an object up to version 6, a map from version 7 on. */
export interface MikroOrm {
  getMetadata(): { getAll(): object }
}

interface Entity {
  readonly className: string
  readonly tableName?: string
  readonly schema?: string
  readonly abstract?: boolean
  readonly embeddable?: boolean
  readonly virtual?: boolean
  readonly properties: Readonly<Record<string, Property>>
}

interface Property {
  readonly name: string
  readonly fieldNames?: readonly string[]
  readonly kind?: string
  readonly persist?: boolean
  readonly default?: unknown
  readonly onCreate?: (...args: never[]) => unknown
}

export interface MikroOrmModelOptions extends ModelOptions {
  /** `() => MikroORM.init({ …, connect: false })` does not need the database. */
  readonly orm: Given<MikroOrm>
}

/**
 * Defaults (`default`, and `onCreate` where it takes no entity) and property names of MikroORM entities. Pivot tables belong to them.
 *
 * @example
 * models: [mikroOrmModels({ orm: () => MikroORM.init(config) })]
 */
export function mikroOrmModels(options: MikroOrmModelOptions): ModelSource {
  return {
    name: 'mikro-orm',
    read: async () => {
      const all = (await given(options.orm)).getMetadata().getAll()
      const entities = (all instanceof Map ? [...all.values()] : Object.values(all)) as readonly Entity[]
      const stored = entities.filter(
        (each) => each.abstract !== true && each.embeddable !== true && each.virtual !== true,
      )
      return modelFacts(stored.flatMap(entityOf), options)
    },
  }
}

function entityOf({ className, tableName, schema, properties }: Entity): readonly FoundModel[] {
  if (tableName === undefined) return []
  const columns = Object.values(properties)
    .filter(({ kind, persist }) => persist !== false && kind !== 'm:n' && kind !== '1:m')
    .flatMap((property) => {
      const [name, ...more] = property.fieldNames ?? []
      // What takes several columns has no default of its own.
      if (name === undefined || more.length > 0) return []
      return [{ name, property: property.name, filling: fillingOf(`${tableName}.${name}`, property) }]
    })
  return [{ model: className, table: tableName, schema: schema === '*' ? undefined : schema, columns }]
}

function fillingOf(
  name: string,
  { default: value, onCreate }: Property,
): DefaultRule | (() => Cell) | undefined {
  if (onCreate !== undefined && onCreate.length === 0) return callRule(name, onCreate)
  return value === undefined ? undefined : valueRule(value)
}
