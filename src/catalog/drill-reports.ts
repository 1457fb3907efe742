import { objectKey, safeSegment } from '../storages/object-key.js'
import type { ObjectKey } from '../storages/storage.js'

/** The report of a drill, by what its key says: what is listed needs no report to be read. */
export interface StoredDrill {
  /** Of the backup. */
  readonly id: string
  readonly time: Date
  readonly result: 'passed' | 'failed'
  /** Of the report in JSON; the one in Markdown lies beside it. */
  readonly key: ObjectKey
}

/** Where the reports of a drill lie: `shop/20261120T130102345Z-k3f9q2.drill-20261121T020000000Z-passed.json`. */
export function drillKey(
  alias: string,
  { id, time, result }: Omit<StoredDrill, 'key'>,
  ending: 'json' | 'md',
): ObjectKey {
  const stamp = time.toISOString().replace(/[-:.]/gu, '')
  return objectKey(`${drillPrefix(alias, id)}${stamp}-${result}.${ending}`)
}

/** What the keys of all drill reports of a backup begin with. */
export function drillPrefix(alias: string, id: string): string {
  return `${safeSegment(alias)}/${id}.drill-`
}

/** Whether an object is a report of a drill, in either form. */
export function isDrillKey(key: string): boolean {
  return parts(key) !== undefined
}

/** What the key of a report in JSON says; undefined for any other key. */
export function drillOfKey(key: ObjectKey): StoredDrill | undefined {
  const found = parts(key)
  if (found === undefined || found['ending'] !== 'json') return undefined
  const { id = '', result, year, month, day, hour, minute, second, ms } = found
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
  return { id, time, result: result === 'passed' ? 'passed' : 'failed', key }
}

const form =
  /(?:^|\/)(?<id>\d{8}T\d{9}Z-[0-9a-z]{6,})\.drill-(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)(?<ms>\d{3})Z-(?<result>passed|failed)\.(?<ending>json|md)$/u

function parts(key: string): Record<string, string | undefined> | undefined {
  return form.exec(key)?.groups
}
