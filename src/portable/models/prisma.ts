import { HoldfastError } from '../../errors.js'
import type { DefaultRule } from '../../engine/table-header.js'
import {
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

/** What of Prisma's DMMF is read. */
export interface PrismaDocument {
  readonly datamodel: {
    readonly models: readonly PrismaModel[]
    readonly enums: readonly {
      readonly name: string
      readonly values: readonly { readonly name: string; readonly dbName?: string | null | undefined }[]
    }[]
  }
}

export interface PrismaModel {
  readonly name: string
  readonly dbName?: string | null | undefined
  readonly schema?: string | null | undefined
  readonly fields: readonly PrismaField[]
}

export interface PrismaField {
  readonly name: string
  readonly dbName?: string | null | undefined
  readonly kind: string
  readonly type: string
  readonly default?: unknown
  readonly isUpdatedAt?: boolean | undefined
}

export interface PrismaModelOptions extends ModelOptions {
  /** `getDMMF({ datamodel })` of `@prisma/internals` or `@prisma/get-dmmf`, or `Prisma.dmmf` of a generated client. */
  readonly dmmf: Given<object>
}

/**
 * Defaults and names (`@map`, `@@map`, `@@schema`) of a Prisma schema. The schema of `@@schema` is a group. What Prisma's client
 * makes by itself, such as `cuid()`, is no default here.
 *
 * @example
 * models: [prismaModels({ dmmf: () => getDMMF({ datamodel: readFileSync('prisma/schema.prisma', 'utf8') }) })]
 */
export function prismaModels(options: PrismaModelOptions): ModelSource {
  return {
    name: 'prisma',
    read: async () => {
      const { datamodel } = documentOf(await given(options.dmmf))
      return modelFacts(
        datamodel.models.map((model) => modelOf(model, datamodel)),
        options,
      )
    },
  }
}

function modelOf(model: PrismaModel, { enums }: PrismaDocument['datamodel']): FoundModel {
  const { name, dbName, schema, fields } = model
  return {
    model: name,
    table: dbName ?? name,
    schema,
    groups: schema === undefined || schema === null ? [] : [schema],
    columns: fields
      .filter(({ kind }) => kind !== 'object')
      .map((field) => ({
        name: field.dbName ?? field.name,
        property: field.name,
        filling: fillingOf(field, enums),
      })),
  }
}

function fillingOf(field: PrismaField, enums: PrismaDocument['datamodel']['enums']): DefaultRule | undefined {
  if (field.isUpdatedAt === true) return nowRule
  const { default: value } = field
  if (value === undefined) return undefined
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { name } = value as { readonly name?: unknown }
    return name === 'now' ? nowRule : name === 'uuid' ? uuidRule : undefined
  }
  const labels = field.kind === 'enum' ? enums.find(({ name }) => name === field.type)?.values : undefined
  const label = (each: unknown) => labels?.find(({ name }) => name === each)?.dbName ?? each
  return valueRule(Array.isArray(value) ? value.map(label) : label(value))
}

/** @throws config.invalid with what Prisma has to say of the schema */
function documentOf(value: object): PrismaDocument {
  if ('datamodel' in value) return value as PrismaDocument
  const { error } = value as { readonly error?: unknown }
  throw new HoldfastError('config.invalid', 'models: prisma gives no datamodel', {
    ...(error === undefined ? {} : { cause: error }),
    hint: 'give it what getDMMF returns, and check the schema with `prisma validate`',
  })
}
