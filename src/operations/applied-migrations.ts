import type { DatabaseSettings } from '../config/settings.js'
import type { MigrationState } from '../engine/migrations.js'
import type { Context } from '../env/context.js'

/** What migration tools have applied to a database. @throws database.* */
export async function migrationsOf(
  cx: Context,
  { engine, connection }: DatabaseSettings,
): Promise<readonly MigrationState[]> {
  const session = await engine.open(cx, connection)
  try {
    return await (session.migrations?.() ?? session.facts().then(({ migrations }) => migrations))
  } finally {
    await session.close()
  }
}
