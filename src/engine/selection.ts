import { HoldfastError } from '../errors.js'
import type { TableFacts } from './engine.js'

/** Where a backup may go on without. */
export const orAllowMissing = 'correct the pattern, or pass --allow-missing'

/** The tables that the patterns of `exclude` or `excludeData` mean, in the tables' order. */
export function selectTables(
  patterns: readonly string[],
  tables: readonly TableFacts[],
  setting: 'exclude' | 'excludeData',
  allowMissing: boolean,
): readonly TableFacts[] {
  const matchers = patterns.map((pattern) => ({ pattern, matches: tableMatcher(pattern) }))
  if (!allowMissing) {
    const unmatched = matchers.filter(({ matches }) => !tables.some(matches)).map(({ pattern }) => pattern)
    if (unmatched.length > 0) {
      throw new HoldfastError(
        'usage.pattern-unmatched',
        `${setting} matches no table: ${unmatched.join(', ')}`,
        { hint: orAllowMissing, details: { setting, patterns: unmatched } },
      )
    }
  }
  return tables.filter((table) => matchers.some(({ matches }) => matches(table)))
}

/**
 * `*` stands for any characters. A pattern that holds a dot is compared with `schema.name` first, and with the bare name
 * too, since names may hold dots.
 */
export function tableMatcher(
  pattern: string,
): (table: { readonly schema?: string | undefined; readonly name: string }) => boolean {
  const expression = wildcard(pattern, 'su')
  return (table) =>
    expression.test(table.name) ||
    (table.schema !== undefined && expression.test(`${table.schema}.${table.name}`))
}

/** `*` stands for any characters, everything else for itself. */
export function wildcard(pattern: string, flags: string): RegExp {
  return new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`, flags)
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/gu, '\\$&')
}
