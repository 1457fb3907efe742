import type { DatabaseSettings } from '../config/settings.js'
import type { RestoreRequest } from '../engine/connector.js'
import { tableMatcher } from '../engine/selection.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { Manifest } from '../catalog/manifest.js'
import { compareFingerprints, fingerprintOf, type ComparisonScope } from './fingerprint-comparison.js'
import type { Comparison, Difference } from './reports.js'

export interface RestoredDatabase {
  readonly target: DatabaseSettings
  /** The restore has made the database, or made it anew: what is in it is the backup's alone. */
  readonly fresh: boolean
  readonly request: RestoreRequest
}

/**
 * Compares a database that was just restored with the fingerprint of its backup.
 * @returns absent where the backup has none
 */
export async function compareRestored(
  cx: Context,
  manifest: Manifest | undefined,
  { target, fresh, request }: RestoredDatabase,
): Promise<Comparison | undefined> {
  const expected = manifest === undefined ? undefined : fingerprintOf(manifest)
  const { fingerprint: fingerprinter } = target.engine
  if (expected === undefined || fingerprinter === undefined) return undefined
  const { level, tables, unproven } = expected.fingerprint
  if (level === 'none') return notCompared(unproven ?? 'the backup has no fingerprint')
  if (request.dataOnly === true && request.clean === 'none')
    return notCompared('the rows were added to those that were there')
  const scope = { ...scopeOf(request, fresh), withoutRows: anyOf(manifest?.options.excludeData ?? []) }
  const wanted = scope.table === undefined ? {} : { tables: tables.filter(scope.table) }
  try {
    const found = await fingerprinter.take(cx, target.connection, {
      level: scope.rows ? level : 'counts',
      ...wanted,
      ...(scope.rows ? {} : { tables: [] }),
    })
    return compareFingerprints(expected, found, scope)
  } catch (thrown) {
    cx.signal.throwIfAborted()
    return notCompared(`the target could not be read: ${asHoldfastError(thrown).message}`)
  }
}

function notCompared(why: string): Comparison {
  return { level: 'counts', tables: 0, differences: [], unproven: [why] }
}

function scopeOf(
  { tables = [], schemas, schemaOnly = false, dataOnly = false, clean }: RestoreRequest,
  fresh: boolean,
): ComparisonScope {
  const part = tables.length > 0 || schemas.length > 0
  const named = anyOf(tables)
  return {
    ...(part
      ? {
          table: (table) =>
            (tables.length === 0 || named(table)) &&
            (schemas.length === 0 || schemas.includes(table.schema ?? '')),
        }
      : {}),
    rows: !schemaOnly,
    counters: !part && !schemaOnly && !dataOnly,
    definitions: !part && !dataOnly,
    encoding: clean !== 'none' && !part && !dataOnly,
    extra: fresh && !part,
  }
}

function anyOf(patterns: readonly string[]): ReturnType<typeof tableMatcher> {
  const matchers = patterns.map(tableMatcher)
  return (table) => matchers.some((matches) => matches(table))
}

/** @throws integrity.differs, with the comparison in its details */
export function assertEqual(place: string, comparison: Comparison): void {
  const { differences } = comparison
  const [first] = differences
  if (first === undefined) return
  const more = differences.length === 1 ? '' : `, and ${differences.length - 1} more`
  throw new HoldfastError(
    'integrity.differs',
    `${place} differs from the backup: ${differenceText(first)}${more}`,
    { details: { comparison } },
  )
}

/** A difference as a phrase: `table public.film has 999 rows in place of 1000 rows`. */
export function differenceText({ object, what, expected = '?', found = '?' }: Difference): string {
  const texts: Readonly<Record<Difference['what'], string>> = {
    missing: `${object} is missing`,
    extra: `${object} is not in the backup`,
    rows: `${object} has ${found} in place of ${expected}`,
    content: `${object} has other values in its rows`,
    definition: `${object} is defined in another way`,
    counter: `${object} stands at ${found} in place of ${expected}`,
    encoding: `${object} is encoded in ${found} in place of ${expected}`,
  }
  return texts[what]
}
