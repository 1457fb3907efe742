import type { Manifest } from '../catalog/manifest.js'
import type { DatabaseFingerprint, TableFingerprint } from '../engine/fingerprinter.js'
import type { Comparison, Difference } from './reports.js'

/** What of two fingerprints is to be compared. */
export interface ComparisonScope {
  /** Only these of the first. */
  readonly table?: (table: TableFingerprint) => boolean
  readonly rows: boolean
  readonly counters: boolean
  readonly definitions: boolean
  readonly encoding: boolean
  /** What the second has besides is a difference, too. */
  readonly extra: boolean
  /** The backup leaves out the rows of these and keeps their structure: they are there and empty. */
  readonly withoutRows?: (table: TableFingerprint) => boolean
}

export const everything: ComparisonScope = {
  rows: true,
  counters: true,
  definitions: true,
  encoding: true,
  extra: true,
}

/** Compares what should be there with what is. Pure: nothing is asked. */
export function compareFingerprints(
  expected: DatabaseFingerprint,
  found: DatabaseFingerprint,
  scope: ComparisonScope,
): Comparison {
  const unproven: string[] = []
  const digests = comparableDigests(expected, found, unproven)
  const tables = scope.rows ? compareTables(expected, found, scope, digests, unproven) : none
  const definitions = scope.definitions ? compareDefinitions(expected, found, scope, unproven) : []
  const level = expected.fingerprint.level === 'content' && digests ? 'content' : 'counts'
  if (expected.fingerprint.unproven !== undefined) unproven.push(expected.fingerprint.unproven)
  return {
    level,
    tables: tables.compared,
    differences: [
      ...(scope.encoding ? compareEncodings(expected, found) : []),
      ...tables.differences,
      ...definitions,
      ...(scope.counters ? compareCounters(expected, found) : []),
    ],
    unproven,
  }
}

/** The fingerprint that a manifest holds; absent where it has none. */
export function fingerprintOf(manifest: Manifest): DatabaseFingerprint | undefined {
  const { fingerprint, source } = manifest
  if (fingerprint === undefined) return undefined
  const { product, version, encoding } = source
  return { product, version, encoding, fingerprint }
}

const none = { compared: 0, differences: [] as readonly Difference[] }

/** The same values give the same digests within one method, product and encoding. */
function comparableDigests(a: DatabaseFingerprint, b: DatabaseFingerprint, unproven: string[]): boolean {
  if (a.fingerprint.level !== 'content' || b.fingerprint.level !== 'content') {
    if (a.fingerprint.level === 'content' && b.fingerprint.unproven !== undefined)
      unproven.push(b.fingerprint.unproven)
    return false
  }
  const why =
    a.fingerprint.method !== b.fingerprint.method || a.product !== b.product
      ? `${a.product} and ${b.product} write values in ways of their own`
      : a.encoding !== b.encoding
        ? `one is encoded in ${a.encoding ?? '?'}, the other in ${b.encoding ?? '?'}`
        : undefined
  if (why !== undefined) unproven.push(`digests of rows are not compared: ${why}`)
  return why === undefined
}

function compareTables(
  expected: DatabaseFingerprint,
  found: DatabaseFingerprint,
  { table: wanted = () => true, extra, withoutRows = () => false }: ComparisonScope,
  digests: boolean,
  unproven: string[],
): { readonly compared: number; readonly differences: readonly Difference[] } {
  const there = new Map(found.fingerprint.tables.map((table) => [nameOf(table), table]))
  const differences: Difference[] = []
  let compared = 0
  for (const table of expected.fingerprint.tables.filter(wanted)) {
    const name = nameOf(table)
    const other = there.get(name)
    there.delete(name)
    const why = table.unproven ?? other?.unproven
    if (other === undefined)
      differences.push({ object: `table ${name}`, what: 'missing', ...rowsText('expected', table) })
    else if (why !== undefined && (table.rows === undefined || other.rows === undefined))
      unproven.push(`table ${name}: ${why}`)
    else {
      compared += 1
      if (why !== undefined) unproven.push(`table ${name}: ${why}`)
      const difference = compareRows(name, table, other, digests)
      if (difference !== undefined) differences.push(difference)
    }
  }
  if (extra)
    for (const [name, table] of there) {
      if (!withoutRows(table))
        differences.push({ object: `table ${name}`, what: 'extra', ...rowsText('found', table) })
      else if (table.rows !== undefined && table.rows > 0)
        differences.push({
          object: `table ${name}`,
          what: 'rows',
          expected: '0 rows',
          ...rowsText('found', table),
        })
    }
  return { compared, differences }
}

function rowsText(side: 'expected' | 'found', { rows }: TableFingerprint): Partial<Difference> {
  return rows === undefined ? {} : { [side]: `${rows} rows` }
}

function compareRows(
  name: string,
  a: TableFingerprint,
  b: TableFingerprint,
  digests: boolean,
): Difference | undefined {
  const object = `table ${name}`
  if (a.rows !== b.rows) return { object, what: 'rows', expected: `${a.rows} rows`, found: `${b.rows} rows` }
  if (!digests || a.digest === undefined || b.digest === undefined || a.digest === b.digest) return undefined
  return { object, what: 'content', expected: a.digest, found: b.digest }
}

/** Servers of other major versions write the same definition in other words. */
function compareDefinitions(
  expected: DatabaseFingerprint,
  found: DatabaseFingerprint,
  { extra }: ComparisonScope,
  unproven: string[],
): readonly Difference[] {
  const [mine, theirs] = [expected.fingerprint.definitions, found.fingerprint.definitions]
  if (Object.keys(mine).length === 0) return []
  if (expected.product !== found.product || majorOf(expected.version) !== majorOf(found.version)) {
    unproven.push(
      `definitions are not compared: ${expected.product} ${expected.version} and ${found.product} ${found.version} write them in ways of their own`,
    )
    return []
  }
  const differences: Difference[] = []
  for (const [object, digest] of Object.entries(mine)) {
    const other = theirs[object]
    if (other === undefined) differences.push({ object, what: 'missing' })
    else if (other !== digest)
      differences.push({ object, what: 'definition', expected: digest, found: other })
  }
  if (extra)
    for (const object of Object.keys(theirs)) {
      if (!(object in mine)) differences.push({ object, what: 'extra' })
    }
  return differences
}

function compareCounters(expected: DatabaseFingerprint, found: DatabaseFingerprint): readonly Difference[] {
  const there = new Map(found.fingerprint.counters.map(({ name, next }) => [name, next]))
  return expected.fingerprint.counters.flatMap(({ name, next, until = next }): Difference[] => {
    const other = there.get(name)
    // Where the sequence is gone, its definition is.
    if (other === undefined) return []
    const [low, high] = [BigInt(next), BigInt(until)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const value = BigInt(other)
    if (low !== undefined && high !== undefined && value >= low && value <= high) return []
    return [{ object: `counter ${name}`, what: 'counter', expected: `next ${next}`, found: `next ${other}` }]
  })
}

function compareEncodings(a: DatabaseFingerprint, b: DatabaseFingerprint): readonly Difference[] {
  if (a.encoding === b.encoding || a.encoding === undefined || b.encoding === undefined) return []
  return [{ object: 'database', what: 'encoding', expected: a.encoding, found: b.encoding }]
}

/** The part of a version within which definitions read the same: `15`, of MariaDB and MySQL `10.11`. */
export function majorOf(version: string): string {
  const [major = '', minor = ''] = version.split('.')
  return Number(major) >= 10 && Number(major) !== 10 ? major : `${major}.${minor}`
}

function nameOf({ schema, name }: TableFingerprint): string {
  return schema === undefined ? name : `${schema}.${name}`
}
