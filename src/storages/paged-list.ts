import { setMaxListeners } from 'node:events'
import type { Context } from '../env/context.js'
import { compareKeys } from './object-key.js'
import type { ListOptions, ObjectKey, StoredObject } from './storage.js'

/** Of one long list; a browser opens no more connections to all of its servers. */
const rangesAtOnce = 16

/** A page of a service's list. */
export interface Page<Start> {
  readonly objects: readonly StoredObject[]
  /** The service's last name on it, which need not be a key of ours. */
  readonly last: string | undefined
  /** Where the next one begins; undefined where nothing comes after it. */
  readonly next: Start | undefined
}

/** A service that lists by pages, in the order of the keys' UTF-8 bytes, and can begin behind any key. */
export interface PagedList<Start> {
  readonly prefix: string
  readonly beginning: Start
  behind(key: string): Start
  page(cx: Context, start: Start): Promise<Page<Start>>
}

/**
 * The objects of such a list, in its order. Each page must be there before the next is asked for; where marks are known, a long list
 * is read between them side by side.
 */
export async function* pagedList<Start>(
  cx: Context,
  list: PagedList<Start>,
  options: ListOptions,
): AsyncGenerator<StoredObject> {
  const first = await list.page(cx, list.beginning)
  yield* first.objects
  if (first.next === undefined) return
  const marks = (await options.marks?.()) ?? []
  const ranges = first.last === undefined ? [] : rangesBetween(first.last, marks, list.prefix)
  if (ranges.length < 2) {
    yield* objectsFrom(cx, list, first.next)
    return
  }
  const stopped = new AbortController()
  const side = { ...cx, signal: AbortSignal.any([cx.signal, stopped.signal]) }
  // Each request listens to it.
  setMaxListeners(0, side.signal)
  const reading: Promise<readonly StoredObject[]>[] = []
  const begin = () => {
    const range = ranges.shift()
    if (range === undefined) return
    const objects = objectsOf(side, list, range)
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

async function objectsOf<Start>(
  cx: Context,
  list: PagedList<Start>,
  { after, to }: Range,
): Promise<readonly StoredObject[]> {
  const objects: StoredObject[] = []
  for await (const object of objectsFrom(cx, list, list.behind(after))) {
    if (to !== undefined && compareKeys(object.key, to) > 0) break
    // A service that does not know where to start is slow, and no more.
    if (compareKeys(object.key, after) > 0) objects.push(object)
  }
  return objects
}

async function* objectsFrom<Start>(
  cx: Context,
  list: PagedList<Start>,
  start: Start,
): AsyncGenerator<StoredObject> {
  for (let next: Start | undefined = start; next !== undefined;) {
    const page: Page<Start> = await list.page(cx, next)
    yield* page.objects
    next = page.next
  }
}
