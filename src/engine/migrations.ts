/**
 * The tables in which migration tools keep what they have applied. An engine's session looks which of them exist and reads
 * the names; which rows count as applied is said here, once for all engines.
 */
export interface MigrationTable {
  /** The migration tool: `prisma`. */
  readonly tool: string
  readonly table: string
  /** Where the tool keeps it apart from the user's schema. */
  readonly schema?: string
  /** The column that names a migration. */
  readonly column: string
  /** Columns that must all be there, where the table's name alone could be anybody's. */
  readonly columns: readonly string[]
  /** A SQL condition on applied rows, in plain SQL that every engine reads. */
  readonly applied?: string
}

export const migrationTables: readonly MigrationTable[] = [
  {
    tool: 'prisma',
    table: '_prisma_migrations',
    column: 'migration_name',
    columns: ['migration_name', 'finished_at', 'rolled_back_at'],
    applied: 'finished_at IS NOT NULL AND rolled_back_at IS NULL',
  },
  {
    tool: 'drizzle',
    table: '__drizzle_migrations',
    schema: 'drizzle',
    column: 'hash',
    columns: ['hash', 'created_at'],
  },
  { tool: 'drizzle', table: '__drizzle_migrations', column: 'hash', columns: ['hash', 'created_at'] },
  { tool: 'knex', table: 'knex_migrations', column: 'name', columns: ['name', 'batch', 'migration_time'] },
  { tool: 'typeorm', table: 'migrations', column: 'name', columns: ['id', 'timestamp', 'name'] },
  { tool: 'sequelize', table: 'SequelizeMeta', column: 'name', columns: ['name'] },
  { tool: 'mikro-orm', table: 'mikro_orm_migrations', column: 'name', columns: ['name', 'executed_at'] },
  { tool: 'kysely', table: 'kysely_migration', column: 'name', columns: ['name', 'timestamp'] },
  { tool: 'django', table: 'django_migrations', column: 'name', columns: ['app', 'name', 'applied'] },
  { tool: 'atlas', table: 'atlas_schema_revisions', column: 'version', columns: ['version', 'description'] },
]

/** What one migration tool has applied to a database. */
export interface MigrationState {
  readonly tool: string
  /** With its schema where it has one: `drizzle.__drizzle_migrations`. */
  readonly table: string
  /** Names in the order they were applied; Django's as `app.name`. */
  readonly applied: readonly string[]
}
