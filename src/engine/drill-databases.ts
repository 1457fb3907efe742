import type { Context } from '../env/context.js'
import type { ConnectionSettings } from './engine.js'
import { swapId, swapIdPattern } from './swapper.js'

/**
 * Databases that drills make on a server of somebody's. A drill that is killed leaves its database; the next one on that server removes it, and so
 * has to know that it is a drill's, and that no drill is at work on it.
 */
export interface DrillDatabases {
  /** Tells other drills that this one is at work on its database, which need not exist yet. @throws database.* */
  claim(cx: Context, settings: ConnectionSettings): Promise<DrillClaim>
  /** Those of drills that are gone, by name. @throws database.* */
  abandoned(cx: Context, settings: ConnectionSettings): Promise<readonly string[]>
  /** Removes one, whoever still uses it; one that is not there is fine. @throws database.* */
  drop(cx: Context, settings: ConnectionSettings): Promise<void>
}

/** It ends with this process at the latest. */
export interface DrillClaim {
  release(): Promise<void>
}

const beginning = 'holdfast_drill_'

/** `holdfast_drill_20261127t193112_1a2b3c`: a name that nobody gives by accident. */
export function drillDatabaseName(cx: Context): string {
  return beginning + swapId(cx)
}

export function isDrillDatabase(name: string): boolean {
  return new RegExp(`^${beginning}${swapIdPattern}$`, 'u').test(name)
}
