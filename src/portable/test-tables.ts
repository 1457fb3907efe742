import type { ColumnHeader, TableHeader } from '../engine/table-header.js'

/** For tests: the table of docs/format.md. */
export const exampleHeader: TableHeader = {
  ...emptyHeader('users', 'public'),
  columns: [
    {
      ...testColumn('id', 'i64'),
      db: 'bigint',
      primaryKey: 1,
      nullable: false,
      identity: 'always',
      hasDefault: true,
    },
    { ...testColumn('email', 'text'), db: 'varchar(255)', nullable: false, maxLength: 255 },
    testColumn('bal', 'numeric(12,2)'),
    testColumn('at', 'timestamptz'),
  ],
  unique: [['email']],
  sequences: { id: { next: '43', increment: '1' } },
  renamedFrom: { email: 'mail' },
  defaults: {
    role: { kind: 'value', value: 'user', on: ['missing'] },
    seen: { kind: 'datetime', value: 'now', on: ['missing'] },
  },
}

export function testColumn(name: string, type: string): ColumnHeader {
  return { name, type, nullable: true, hasDefault: false }
}

export function emptyHeader(name: string, schema?: string): TableHeader {
  return {
    table: { name, ...(schema === undefined ? {} : { schema }) },
    columns: [],
    foreignKeys: [],
    unique: [],
    indexes: [],
    sequences: {},
    renamedFrom: {},
    defaults: {},
    generated: [],
    notCarried: [],
  }
}
