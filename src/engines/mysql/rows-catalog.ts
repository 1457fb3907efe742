import type { ColumnHeader, ForeignKey, TableHeader } from '../../engine/table-header.js'
import { labelsOf, logicalType, type ColumnRow } from './rows-types.js'
import type { ServerSession } from './session.js'

/** What the sink and the source alone know of a column. */
export interface OwnColumn {
  readonly charset?: string
  /** The server sets it at each UPDATE that does not name it. */
  readonly touched: boolean
  /** JSON as it was written (MariaDB), not as the server writes it. */
  readonly exactJson: boolean
  /** A float may be -0 (MySQL); MariaDB makes 0 of it. */
  readonly minusZero: boolean
}

export interface OwnTable {
  readonly header: TableHeader
  readonly transactional: boolean
  readonly triggers: readonly string[]
}

interface TableRow {
  readonly name: string
  readonly storage: string | null
  readonly next: string | number | null
  readonly estimated: string | number | null
}

export async function readTables(session: ServerSession): Promise<readonly OwnTable[]> {
  // MySQL keeps the counters of a day ago otherwise; MariaDB does not know the variable.
  await session.query('SET SESSION information_schema_stats_expiry = 0').catch(() => undefined)
  const database = [session.settings.name]
  const tables = await session.query<TableRow>(
    `SELECT TABLE_NAME AS name, ENGINE AS storage, AUTO_INCREMENT AS next, TABLE_ROWS AS estimated FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY BINARY TABLE_NAME`,
    database,
  )
  const columns = await session.query<ColumnRow>(
    `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS name, DATA_TYPE AS kind, COLUMN_TYPE AS type, IS_NULLABLE AS nullable,
       COLUMN_DEFAULT AS fallback, EXTRA AS extra, CHARACTER_SET_NAME AS charset, CHARACTER_MAXIMUM_LENGTH AS length,
       DATETIME_PRECISION AS fraction, COLUMN_COMMENT AS comment
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    database,
  )
  const details: Details = {
    keys: await readKeys(session),
    foreign: await readForeignKeys(session),
    json: await readJsonColumns(session),
    triggers: await session.query<{ tableName: string; name: string }>(
      `SELECT EVENT_OBJECT_TABLE AS tableName, TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY 2`,
      database,
    ),
    exactJson: session.identity.product === 'MariaDB',
  }
  return tables.map((table) => ({
    header: headerOf(
      table,
      columns.filter(({ tableName }) => tableName === table.name),
      details,
    ),
    transactional: table.storage === null || /^InnoDB$/iu.test(table.storage),
    triggers: details.triggers.filter(({ tableName }) => tableName === table.name).map(({ name }) => name),
  }))
}

interface KeyRow {
  readonly tableName: string
  readonly name: string
  readonly loose: string | number
  readonly columns: string
}

interface ForeignRow {
  readonly tableName: string
  readonly name: string
  readonly columns: string
  readonly parent: string
  readonly referenced: string
  readonly ondelete: string
  readonly onupdate: string
}

interface Details {
  readonly keys: readonly KeyRow[]
  readonly foreign: readonly ForeignRow[]
  readonly json: ReadonlySet<string>
  readonly triggers: readonly { readonly tableName: string; readonly name: string }[]
  readonly exactJson: boolean
}

/** A name holds no such character: U+0001 cannot be typed. */
const between = '\u0001'

async function readKeys(session: ServerSession): Promise<readonly KeyRow[]> {
  return session.query<KeyRow>(
    `SELECT TABLE_NAME AS tableName, INDEX_NAME AS name, MAX(NON_UNIQUE) AS loose,
       GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX SEPARATOR '${between}') AS columns
     FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND INDEX_TYPE = 'BTREE'
     GROUP BY TABLE_NAME, INDEX_NAME HAVING COUNT(COLUMN_NAME) = COUNT(*) AND MAX(SUB_PART IS NOT NULL) = 0 ORDER BY 1, 2`,
    [session.settings.name],
  )
}

async function readForeignKeys(session: ServerSession): Promise<readonly ForeignRow[]> {
  return session.query<ForeignRow>(
    `SELECT k.TABLE_NAME AS tableName, k.CONSTRAINT_NAME AS name,
       GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR '${between}') AS columns, MAX(k.REFERENCED_TABLE_NAME) AS parent,
       GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR '${between}') AS referenced,
       MAX(r.DELETE_RULE) AS ondelete, MAX(r.UPDATE_RULE) AS onupdate
     FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
       ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
     WHERE k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_SCHEMA = k.TABLE_SCHEMA GROUP BY k.TABLE_NAME, k.CONSTRAINT_NAME ORDER BY 1, 2`,
    [session.settings.name],
  )
}

/** MariaDB's JSON columns: `table.column`. */
async function readJsonColumns(session: ServerSession): Promise<ReadonlySet<string>> {
  if (session.identity.product !== 'MariaDB') return new Set()
  const checks = await session.query<{ tableName: string; clause: string }>(
    `SELECT TABLE_NAME AS tableName, CHECK_CLAUSE AS clause FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ?`,
    [session.settings.name],
  )
  return new Set(
    checks.flatMap(({ tableName, clause }) => {
      const column = /^json_valid\(`((?:[^`]|``)+)`\)$/iu.exec(clause)?.[1]
      return column === undefined ? [] : [`${tableName}.${column.replaceAll('``', '`')}`]
    }),
  )
}

function headerOf(table: TableRow, rows: readonly ColumnRow[], details: Details): TableHeader {
  const keys = details.keys.filter(({ tableName }) => tableName === table.name)
  const split = (columns: string) => columns.split(between)
  const primary = keys.filter(({ name }) => name === 'PRIMARY').flatMap(({ columns }) => split(columns))
  const stored = rows.filter(({ extra }) => !isGenerated(extra))
  const numbered = stored.find(({ extra }) => /auto_increment/iu.test(extra))
  const named = (loose: boolean) =>
    keys
      .filter(({ name, loose: each }) => name !== 'PRIMARY' && Number(each) === Number(loose))
      .map(({ columns }) => split(columns))
  return {
    table: { name: table.name },
    columns: stored.map((row) => columnOf(row, primary, details)),
    foreignKeys: details.foreign
      .filter(({ tableName }) => tableName === table.name)
      .map(({ name, columns, parent, referenced, ondelete, onupdate }): ForeignKey => ({
        name,
        columns: split(columns),
        references: { name: parent },
        referencedColumns: split(referenced),
        ...(harmless.includes(ondelete) ? {} : { onDelete: ondelete }),
        ...(harmless.includes(onupdate) ? {} : { onUpdate: onupdate }),
      })),
    unique: named(false),
    indexes: named(true),
    sequences:
      numbered === undefined ? {} : { [numbered.name]: { next: String(table.next ?? 1), increment: '1' } },
    renamedFrom: {},
    defaults: {},
    generated: rows.filter(({ extra }) => isGenerated(extra)).map(({ name, type }) => ({ name, db: type })),
    notCarried: details.triggers
      .filter(({ tableName }) => tableName === table.name)
      .map(({ name }) => `trigger ${name}`),
    ...(Number(table.estimated) > 0 ? { estimatedRows: Number(table.estimated) } : {}),
  }
}

const harmless = ['RESTRICT', 'NO ACTION']

function isGenerated(extra: string): boolean {
  return /\b(?:VIRTUAL|STORED|PERSISTENT)\b/iu.test(extra)
}

function columnOf(row: ColumnRow, primary: readonly string[], details: Details): ColumnHeader {
  const isJson = details.json.has(`${row.tableName}.${row.name}`)
  const type = logicalType(row, isJson)
  const place = primary.indexOf(row.name)
  const numbers = /auto_increment/iu.test(row.extra)
  const labels = labelsOf(row.type)
  const filled = numbers ? undefined : plainDefault(row, details.exactJson)
  const own: OwnColumn = {
    ...(row.charset === null ? {} : { charset: row.charset }),
    touched: /on update/iu.test(row.extra),
    exactJson: details.exactJson,
    minusZero: !details.exactJson,
  }
  return {
    name: row.name,
    type,
    db: row.type,
    ...(place < 0 ? {} : { primaryKey: place + 1 }),
    nullable: row.nullable === 'YES',
    ...(numbers ? { identity: 'by default' as const } : {}),
    ...(['char', 'varchar', 'binary', 'varbinary'].includes(row.kind)
      ? { maxLength: Number(row.length) }
      : {}),
    ...(['datetime', 'timestamp', 'time'].includes(row.kind) ? { precision: Number(row.fraction ?? 0) } : {}),
    ...(labels === undefined ? {} : { labels }),
    ...(filled === undefined ? {} : { defaultValue: filled }),
    hasDefault: numbers || (row.fallback !== null && row.fallback !== 'NULL'),
    own,
  }
}

/** MariaDB gives the default as SQL, MySQL as the value. */
function plainDefault({ fallback, extra, kind }: ColumnRow, asSql: boolean): ColumnHeader['defaultValue'] {
  if (fallback === null || fallback === 'NULL') return undefined
  if (/^(?:current_timestamp|now)(?:\(\d?\))?$/iu.test(fallback)) return { now: true }
  if (/DEFAULT_GENERATED/u.test(extra)) return undefined
  const isNumber = /^-?\d{1,15}(?:\.\d+)?$/u.test(fallback)
  if (isNumber && /int|decimal|float|double/u.test(kind)) return { value: Number(fallback) }
  if (!asSql) return { value: fallback }
  const quoted = /^'(.*)'$/su.exec(fallback)?.[1]
  return quoted === undefined ? undefined : { value: quoted.replaceAll("''", "'").replaceAll('\\\\', '\\') }
}
