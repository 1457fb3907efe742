import type { ConnectorSettings, RestoreRequest } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { listed } from './catalog.js'
import type { DumpContents, NamedRelation } from './restore-contents.js'
import type { RestoreWork } from './restore.js'
import type { PostgresSession } from './session.js'
import { counted } from '../../env/counted.js'

/** @throws usage.invalid, naming both settings */
export function refuseContradictions(
  { schemaOnly, dataOnly, clean, create }: RestoreRequest,
  { options }: ConnectorSettings,
): void {
  const other =
    schemaOnly === true
      ? 'schemaOnly'
      : clean === 'database'
        ? "clean: 'database'"
        : create
          ? 'create'
          : options.singleTransaction === false
            ? 'singleTransaction: false'
            : undefined
  if (dataOnly !== true || other === undefined) return
  const why: Readonly<Record<string, string>> = {
    schemaOnly: 'together nothing is left to restore',
    'singleTransaction: false':
      'foreign keys are dropped while rows are loaded, and must not stay so where that fails',
  }
  throw new HoldfastError(
    'usage.invalid',
    `dataOnly does not go with ${other}: ${why[other] ?? 'rows need tables that are there'}`,
  )
}

/**
 * What a restore of rows alone needs: the tables.
 * @returns what is lost
 * @throws database.requirement-missing
 */
export async function checkPart(
  { contents, request }: RestoreWork,
  session: PostgresSession,
  exists: boolean,
): Promise<readonly string[]> {
  if (request.dataOnly !== true || !exists) return []
  const tables = filledTables(contents)
  const absent = await session.rows<NamedRelation>(
    `SELECT w.schema, w.name FROM unnest($1::text[], $2::text[]) AS w(schema, name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = w.schema AND c.relname = w.name)`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  )
  if (absent.length > 0) {
    throw new HoldfastError(
      'database.requirement-missing',
      `the target has no table ${listed(absent)}, and dataOnly restores rows alone`,
    )
  }
  return request.clean === 'none' || tables.length === 0
    ? []
    : [`the rows of ${counted(tables.length, 'table')} are replaced: ${listed(tables)}`]
}

/** Partitioned tables have no rows of their own. */
export function filledTables({ filled, relations = [] }: DumpContents): readonly NamedRelation[] {
  const withRows = new Set(filled.map(({ schema, name }) => `${schema}\0${name}`))
  return relations.filter(({ kind, schema, name }) => kind === 'table' && withRows.has(`${schema}\0${name}`))
}
