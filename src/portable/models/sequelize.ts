import type { Cell } from '../../engine/cell.js'
import type { DefaultRule } from '../../engine/table-header.js'
import {
  callRule,
  given,
  modelFacts,
  nowRule,
  uuidRule,
  valueRule,
  type FoundModel,
  type Given,
  type ModelOptions,
  type ModelSource,
} from './model-source.js'

/** What of Sequelize is read. */
export interface SequelizeInstance {
  readonly models: Readonly<Record<string, SequelizeModel>>
}

export interface SequelizeModel {
  readonly name: string
  readonly options: {
    readonly timestamps?: boolean | undefined
    readonly createdAt?: string | boolean | undefined
    readonly updatedAt?: string | boolean | undefined
  }
  getTableName(): string | { readonly tableName: string; readonly schema: string }
  getAttributes(): Readonly<Record<string, SequelizeAttribute>>
}

export interface SequelizeAttribute {
  readonly field?: string
  readonly type?: unknown
  readonly defaultValue?: unknown
}

export interface SequelizeModelOptions extends ModelOptions {
  readonly sequelize: Given<SequelizeInstance>
}

/**
 * Defaults (values, functions, `NOW`, `UUIDV4`, timestamps) and property names of Sequelize models.
 *
 * @example
 * models: [sequelizeModels({ sequelize })]
 */
export function sequelizeModels(options: SequelizeModelOptions): ModelSource {
  return {
    name: 'sequelize',
    read: async () => {
      const { models } = await given(options.sequelize)
      return modelFacts(Object.values(models).map(modelOf), options)
    },
  }
}

function modelOf(model: SequelizeModel): FoundModel {
  const found = model.getTableName()
  const { tableName, schema } = typeof found === 'string' ? { tableName: found, schema: undefined } : found
  const stamped = timestampsOf(model)
  return {
    model: model.name,
    table: tableName,
    schema,
    columns: Object.entries(model.getAttributes())
      .filter(([, { type }]) => keyOf(type) !== 'VIRTUAL')
      .map(([property, attribute]) => {
        const name = attribute.field ?? property
        return {
          name,
          property,
          filling: stamped.has(property)
            ? nowRule
            : fillingOf(`${tableName}.${name}`, attribute.defaultValue),
        }
      }),
  }
}

function timestampsOf({
  options: { timestamps, createdAt, updatedAt },
}: SequelizeModel): ReadonlySet<string> {
  if (timestamps === false) return new Set()
  const named = [
    [createdAt, 'createdAt'],
    [updatedAt, 'updatedAt'],
  ] as const
  return new Set(
    named.flatMap(([given, name]) => (given === false ? [] : [typeof given === 'string' ? given : name])),
  )
}

/** `DataTypes.NOW` and the like are types; SQL expressions are left to the database. */
function fillingOf(name: string, value: unknown): DefaultRule | (() => Cell) | undefined {
  if (value === undefined) return undefined
  const key = keyOf(value)
  if (key === 'NOW') return nowRule
  if (key === 'UUIDV4' || key === 'UUIDV1') return uuidRule
  if (typeof value === 'function') return callRule(name, value as () => unknown)
  return valueRule(value)
}

/** The name of a data type, given as its class or as one of it. */
function keyOf(value: unknown): unknown {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, 'key')
    : undefined
}
