import { wrapped, type Cell } from '../../engine/cell.js'
import type { DefaultRule } from '../../engine/table-header.js'
import type { Json } from '../../env/json.js'
import { HoldfastError } from '../../errors.js'
import type { ModelFacts, TableModel } from '../model-facts.js'

/** An application's models, for the configuration's `models`. Made by `drizzleModels`, `prismaModels` and the like. */
export interface ModelSource {
  /** For messages: `drizzle`. */
  readonly name: string
  /** Called when a dump or load needs it, once. */
  read(): ModelFacts | Promise<ModelFacts>
}

/** What every adapter takes beside its models. */
export interface ModelOptions {
  /** The group ("app", module) that the tables belong to, or how to tell it from a model's name. */
  readonly group?: string | ((model: string) => string | readonly string[] | undefined)
}

/** A value, or a function that gives it, so that a configuration is loaded without the application. */
export type Given<T> = T | (() => T | Promise<T>)

export async function given<T>(value: Given<T>): Promise<T> {
  return typeof value === 'function' ? (value as () => T | Promise<T>)() : value
}

/** What an adapter has found of one column. */
export interface ModelColumn {
  /** In the database. */
  readonly name: string
  /** In the model: what files of the application's own call it. */
  readonly property?: string
  readonly filling?: DefaultRule | (() => Cell) | undefined
}

export interface FoundModel {
  readonly model: string
  readonly table: string
  readonly schema?: string | null | undefined
  readonly groups?: readonly string[]
  readonly columns: readonly ModelColumn[]
}

/** The facts of some models, as a load reads them. */
export function modelFacts(models: Iterable<FoundModel>, { group }: ModelOptions = {}): ModelFacts {
  const tables = new Map<string, TableModel>()
  for (const { model, table, schema, groups = [], columns } of models) {
    const named = typeof group === 'function' ? group(model) : group
    const own = named === undefined ? [] : typeof named === 'string' ? [named] : named
    tables.set(schema === undefined || schema === null || schema === '' ? table : `${schema}.${table}`, {
      defaults: Object.fromEntries(
        columns.flatMap(({ name, filling }) => (filling === undefined ? [] : [[name, filling]])),
      ),
      renames: renamesOf(columns),
      groups: [...new Set([...groups, ...own])],
    })
  }
  return { tables }
}

/** A property's name stands for its column, unless a column is called so. */
function renamesOf(columns: readonly ModelColumn[]): Record<string, string> {
  const names = new Set(columns.map(({ name }) => name))
  return Object.fromEntries(
    columns.flatMap(({ name, property }) =>
      property === undefined || names.has(property) ? [] : [[name, property]],
    ),
  )
}

/** Several sources as one; where two speak of a table, the later one wins by column. */
export async function readModels(sources: readonly ModelSource[]): Promise<ModelFacts> {
  const tables = new Map<string, TableModel>()
  for (const source of sources) {
    for (const [name, model] of (await readOne(source)).tables) {
      const before = tables.get(name)
      tables.set(name, {
        defaults: { ...before?.defaults, ...model.defaults },
        renames: { ...before?.renames, ...model.renames },
        groups: [...new Set([...(before?.groups ?? []), ...model.groups])],
      })
    }
  }
  return { tables }
}

async function readOne(source: ModelSource): Promise<ModelFacts> {
  try {
    return await source.read()
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError(
      'config.invalid',
      `models: those of ${source.name} cannot be read: ${messageOf(error)}`,
      {
        cause: error,
        hint: '--verbose shows where the error was thrown',
      },
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function valueRule(value: unknown): DefaultRule | undefined {
  const cell = cellOf(value)
  return cell === undefined ? undefined : { kind: 'value', value: cell, on: ['missing'] }
}

export const nowRule: DefaultRule = { kind: 'datetime', value: 'now', on: ['missing'] }
export const uuidRule: DefaultRule = { kind: 'uuid', value: null, on: ['missing'] }

/** A function of the application's, called for each row. */
export function callRule(name: string, make: () => unknown): () => Cell {
  return () => {
    const made = make()
    const cell = cellOf(made)
    if (cell !== undefined) return cell
    throw new HoldfastError(
      'refused.cells',
      `the default of ${name} gives ${made instanceof Promise ? 'a promise' : typeof made}, which no column can hold`,
    )
  }
}

/** A value of JavaScript as a cell; undefined for what is none. */
export function cellOf(value: unknown): Cell | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value !== 'object' || value instanceof Promise || !isPlain(value)) return undefined
  const text = JSON.stringify(value)
  return text.includes('"~"') ? wrapped('jsontext', text) : (JSON.parse(text) as Json)
}

/** SQL expressions and other objects of a library are no values. */
function isPlain(value: object): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}
