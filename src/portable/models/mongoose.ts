import type { Cell } from '../../engine/cell.js'
import type { DefaultRule } from '../../engine/table-header.js'
import {
  callRule,
  given,
  modelFacts,
  nowRule,
  valueRule,
  type FoundModel,
  type Given,
  type ModelColumn,
  type ModelOptions,
  type ModelSource,
} from './model-source.js'

/** What of Mongoose is read. */
export interface MongooseInstance {
  readonly models: Readonly<Record<string, MongooseModel>>
}

export interface MongooseModel {
  readonly modelName: string
  readonly collection: { readonly name: string }
  readonly schema: {
    eachPath(visit: (path: string, type: MongooseType) => void): unknown
    get(option: 'timestamps'): unknown
  }
}

export interface MongooseType {
  /** `Date` */
  readonly instance: string
  readonly options: { readonly default?: unknown; readonly alias?: unknown }
}

export interface MongooseModelOptions extends ModelOptions {
  readonly mongoose: Given<MongooseInstance>
}

/**
 * Defaults (values, functions that do not look at the document, timestamps) and aliases of Mongoose schemas, for fields at the top
 * of a document.
 *
 * @example
 * models: [mongooseModels({ mongoose })]
 */
export function mongooseModels(options: MongooseModelOptions): ModelSource {
  return {
    name: 'mongoose',
    read: async () => modelFacts(Object.values((await given(options.mongoose)).models).map(modelOf), options),
  }
}

function modelOf({ modelName, collection, schema }: MongooseModel): FoundModel {
  const stamped = timestampsOf(schema.get('timestamps'))
  const columns: ModelColumn[] = []
  schema.eachPath((name, type) => {
    if (name.includes('.') || name === '_id') return
    const { alias } = type.options
    columns.push({
      name,
      ...(typeof alias === 'string' ? { property: alias } : {}),
      filling: stamped.has(name) ? nowRule : fillingOf(`${collection.name}.${name}`, type),
    })
  })
  return { model: modelName, table: collection.name, columns }
}

function timestampsOf(option: unknown): ReadonlySet<string> {
  if (option === undefined || option === null || option === false) return new Set()
  const names = typeof option === 'object' ? (option as Readonly<Record<string, unknown>>) : {}
  return new Set(
    ['createdAt', 'updatedAt'].flatMap((name) => {
      const given = names[name]
      return given === false ? [] : [typeof given === 'string' ? given : name]
    }),
  )
}

function fillingOf(
  name: string,
  { instance, options }: MongooseType,
): DefaultRule | (() => Cell) | undefined {
  const value = options.default
  if (value === undefined) return undefined
  if (typeof value !== 'function') return valueRule(value)
  return callRule(name, () => {
    const made: unknown = Reflect.apply(value, undefined, [])
    // Mongoose makes a date of a number: `default: Date.now`.
    return instance === 'Date' && typeof made === 'number' ? new Date(made) : made
  })
}
