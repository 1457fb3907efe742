import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import type { Context } from '../../env/context.js'
import { compareKeys, isObjectKey } from '../object-key.js'
import type { ListOptions, ObjectKey, StoredObject } from '../storage.js'

/** Of one long list; a browser opens no more connections to all of its servers. */
const rangesAtOnce = 16

/** Where a page begins: behind a key, or where the service said that the one before ended. */
type Start = { readonly StartAfter?: string } | { readonly ContinuationToken: string }

interface Page {
  readonly objects: readonly StoredObject[]
  /** The last key of it. */
  readonly last: string | undefined
  /** Undefined where nothing comes after it. */
  readonly next: Start | undefined
}

export interface Listed {
  readonly client: S3Client
  readonly bucket: string
  readonly prefix: string
}

/**
 * The objects of a bucket in the order of their keys. S3 gives a thousand at once, and each page must be there before the next is
 * asked for; where marks are known, a long list is read between them side by side.
 */
export async function* listObjects(
  cx: Context,
  listed: Listed,
  options: ListOptions,
): AsyncGenerator<StoredObject> {
  const first = await pageFrom(cx, listed, {})
  yield* first.objects
  if (first.next === undefined) return
  const marks = (await options.marks?.()) ?? []
  const ranges = first.last === undefined ? [] : rangesBetween(first.last, marks, listed.prefix)
  if (ranges.length < 2) {
    yield* objectsFrom(cx, listed, first.next)
    return
  }
  const stopped = new AbortController()
  const side = { ...cx, signal: AbortSignal.any([cx.signal, stopped.signal]) }
  const reading: Promise<readonly StoredObject[]>[] = []
  const begin = () => {
    const range = ranges.shift()
    if (range === undefined) return
    const objects = objectsOf(side, listed, range)
    // Told by whoever comes to it; one before it may have failed.
    objects.catch(() => undefined)
    reading.push(objects)
  }
  try {
    for (let at = 0; at < rangesAtOnce; at += 1) begin()
    for (let next = reading.shift(); next !== undefined; next = reading.shift()) {
      yield* await next
      begin()
    }
  } finally {
    stopped.abort()
  }
}

interface Range {
  readonly after: string
  /** The last that belongs to it, whether it is there or not. */
  readonly to: ObjectKey | undefined
}

function rangesBetween(after: string, marks: readonly ObjectKey[], prefix: string): Range[] {
  const within = marks.filter((mark) => mark.startsWith(prefix) && compareKeys(mark, after) > 0)
  const bounds = [...new Set(within)].sort(compareKeys)
  return [...bounds, undefined].map((to, at) => ({ after: bounds[at - 1] ?? after, to }))
}

async function objectsOf(
  cx: Context,
  listed: Listed,
  { after, to }: Range,
): Promise<readonly StoredObject[]> {
  const objects: StoredObject[] = []
  for await (const object of objectsFrom(cx, listed, { StartAfter: after })) {
    if (to !== undefined && compareKeys(object.key, to) > 0) break
    // A service that does not know where to start is slow, and no more.
    if (compareKeys(object.key, after) > 0) objects.push(object)
  }
  return objects
}

async function* objectsFrom(cx: Context, listed: Listed, start: Start): AsyncGenerator<StoredObject> {
  for (let next: Start | undefined = start; next !== undefined;) {
    const page: Page = await pageFrom(cx, listed, next)
    yield* page.objects
    next = page.next
  }
}

async function pageFrom(cx: Context, { client, bucket, prefix }: Listed, start: Start): Promise<Page> {
  const command = new ListObjectsV2Command({
    ...{ Bucket: bucket, ...start },
    ...(prefix === '' ? {} : { Prefix: prefix }),
  })
  const { Contents = [], NextContinuationToken } = await client.send(command, { abortSignal: cx.signal })
  const objects = Contents.flatMap(({ Key = '', Size = 0, LastModified = new Date(0) }) =>
    // Such as the `folder/` that the service's own console makes.
    isObjectKey(Key) ? [{ key: Key, bytes: Size, modified: LastModified }] : [],
  )
  const next = NextContinuationToken === undefined ? undefined : { ContinuationToken: NextContinuationToken }
  return { objects, last: Contents.at(-1)?.Key, next }
}
