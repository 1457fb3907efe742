import type { ColumnHeader, TableHeader } from '../../engine/table-header.js'
import type { CollectionInfo } from './collections.js'

/** What rows of documents are made of: `_id` as a text, and all of the document. */
export const documentColumns: readonly ColumnHeader[] = [
  { name: '_id', type: 'text', primaryKey: 1, nullable: false, hasDefault: false },
  { name: 'document', type: 'document', nullable: false, hasDefault: false },
]

/** Texts of canonical extended JSON, in which keys keep their order. */
export interface CollectionDefinition {
  readonly options: string
  readonly indexes: readonly string[]
}

export function headerOf({ name, options, indexes }: CollectionInfo): TableHeader {
  const own = indexes.filter((index) => index.name !== '_id_')
  const definition = { options, indexes: own.map((index) => index.definition) }
  return {
    ...plainHeader(name),
    notCarried: [
      ...own.map((index) => `the index ${index.name}`),
      ...(options === '{}' ? [] : [`the options of the collection: ${options}`]),
    ],
    native: { engine: 'mongodb', definition },
  }
}

export function plainHeader(name: string): TableHeader {
  return {
    table: { name },
    columns: documentColumns,
    ...{ foreignKeys: [], unique: [], indexes: [], generated: [], notCarried: [] },
    ...{ sequences: {}, renamedFrom: {}, defaults: {} },
  }
}

/** Whether rows are documents already: those of MongoDB, also where they went through a database of another engine. */
export function holdsDocuments({ columns }: TableHeader): boolean {
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  return (
    types.size === 2 &&
    types.get('_id') === 'text' &&
    /^(?:document|json)$/u.test(types.get('document') ?? '')
  )
}

/** As a header's line has it; nothing of another engine's. */
export function definitionIn({ native }: TableHeader): CollectionDefinition {
  const { options, indexes } = (
    native?.engine === 'mongodb' ? native.definition : {}
  ) as Partial<CollectionDefinition>
  return {
    options: typeof options === 'string' ? options : '{}',
    indexes: Array.isArray(indexes) ? indexes.filter((each) => typeof each === 'string') : [],
  }
}
