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

/** What of TypeORM's metadata is read. */
export interface TypeormDataSource {
  readonly entityMetadatas: readonly TypeormEntity[]
}

export interface TypeormEntity {
  readonly name: string
  readonly tableName: string
  readonly schema?: string | undefined
  readonly tableType: string
  readonly columns: readonly TypeormColumn[]
}

export interface TypeormColumn {
  readonly databaseName: string
  readonly propertyPath: string
  readonly default?: unknown
  readonly isCreateDate: boolean
  readonly isUpdateDate: boolean
  readonly isVersion: boolean
  readonly generationStrategy?: string | undefined
}

export interface TypeormModelOptions extends ModelOptions {
  /** An initialized data source: `() => dataSource.initialize()`. */
  readonly dataSource: Given<TypeormDataSource>
}

/**
 * Defaults (also `@CreateDateColumn`, `@UpdateDateColumn`, `@VersionColumn`, generated uuids) and property names of TypeORM entities.
 *
 * @example
 * models: [typeormModels({ dataSource: () => dataSource.initialize() })]
 */
export function typeormModels(options: TypeormModelOptions): ModelSource {
  return {
    name: 'typeorm',
    read: async () => {
      const { entityMetadatas } = await given(options.dataSource)
      return modelFacts(
        entityMetadatas.filter(({ tableType }) => tableType !== 'view').map(entityOf),
        options,
      )
    },
  }
}

function entityOf({ name, tableName, schema, columns }: TypeormEntity): FoundModel {
  return {
    model: name,
    table: tableName,
    schema,
    columns: columns.map((column) => ({
      name: column.databaseName,
      property: column.propertyPath,
      filling: fillingOf(column),
    })),
  }
}

/** A default that is a function is SQL, which only the database can compute. */
function fillingOf(column: TypeormColumn): DefaultRule | undefined {
  if (column.isCreateDate || column.isUpdateDate) return nowRule
  if (column.isVersion) return valueRule(1)
  if (column.generationStrategy === 'uuid') return uuidRule
  return column.default === undefined || typeof column.default === 'function'
    ? undefined
    : valueRule(column.default)
}
