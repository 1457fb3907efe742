import { z } from 'zod'
import { HoldfastError } from '../../errors.js'
import { compareKeys, isObjectKey } from '../object-key.js'
import type { ObjectKey } from '../storage.js'

/**
 * The tags of our snapshots. An object is bytes (`data`) and a receipt that says how many (`receipt`, `bytes=…`), which is written when
 * restic has stored all of them; one snapshot is both where the size is known before. `put=…` joins what belongs together, `gone=…`
 * says that an object is deleted, for as long as its snapshots cannot be removed.
 */
export const tags = {
  data: 'holdfast-data',
  receipt: 'holdfast',
  gone: 'holdfast-gone',
  put: (id: string) => `put=${id}`,
  bytes: (count: number) => `bytes=${count}`,
}

/** One put of one object. */
export interface Version {
  readonly key: ObjectKey
  readonly put: string
  /** Of the receipt; undefined without one. */
  readonly bytes?: number
  /** When its newest snapshot was begun. */
  readonly modified: Date
  /** The snapshot with its bytes. */
  readonly data?: string
  readonly gone: boolean
  readonly snapshots: readonly string[]
}

/** An object that can be read. */
export type WholeVersion = Version & { readonly bytes: number; readonly data: string }

const snapshotSchema = z.object({
  id: z.string(),
  time: z.string(),
  paths: z.array(z.string()),
  tags: z.array(z.string()).nullish(),
})

/** What `restic snapshots --json` prints, put by put; snapshots of others are left out. @throws storage.failed */
export function versionsOf(printed: string): readonly Version[] {
  const parsed = z.array(snapshotSchema).nullable().safeParse(parseJson(printed))
  if (!parsed.success) throw new HoldfastError('storage.failed', 'restic gave a list that is none')
  const versions = new Map<string, Version>()
  for (const { id, time, paths, tags: own } of parsed.data ?? []) {
    const said = new Set(own ?? [])
    const put = valueOf(said, 'put=')
    const key = paths[0]?.replace(/^\//u, '') ?? ''
    if (put === undefined || !isObjectKey(key)) continue
    const before = versions.get(put)
    const modified = new Date(time)
    const bytes = said.has(tags.receipt) ? Number(valueOf(said, 'bytes=')) : before?.bytes
    const data = said.has(tags.data) ? id : before?.data
    versions.set(put, {
      key,
      put,
      ...(bytes === undefined || !Number.isSafeInteger(bytes) ? {} : { bytes }),
      modified: before !== undefined && before.modified > modified ? before.modified : modified,
      ...(data === undefined ? {} : { data }),
      gone: said.has(tags.gone) || before?.gone === true,
      snapshots: [...(before?.snapshots ?? []), id],
    })
  }
  return [...versions.values()]
}

/** The objects that there are, in the order of their keys: of several puts of one key the last. */
export function objectsOf(versions: readonly Version[]): readonly WholeVersion[] {
  const newest = new Map<string, WholeVersion>()
  for (const version of versions) {
    if (!isWhole(version)) continue
    const before = newest.get(version.key)
    if (before === undefined || isLater(version, before)) newest.set(version.key, version)
  }
  return [...newest.values()].sort((a, b) => compareKeys(a.key, b.key))
}

export function isWhole(version: Version): version is WholeVersion {
  return !version.gone && version.bytes !== undefined && version.data !== undefined
}

function isLater(a: Version, b: Version): boolean {
  const ms = a.modified.getTime() - b.modified.getTime()
  return ms === 0 ? a.put > b.put : ms > 0
}

function valueOf(said: ReadonlySet<string>, name: string): string | undefined {
  return [...said].find((tag) => tag.startsWith(name))?.slice(name.length)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
