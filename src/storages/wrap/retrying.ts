import type { Context } from '../../env/context.js'
import { compareKeys } from '../object-key.js'
import type { Retry } from '../retry.js'
import type { ObjectKey, Storage, StoredObject } from '../storage.js'
import { wrapped } from './wrapped.js'

/**
 * A storage whose calls are tried again where they failed for a passing reason. Not `put`, whose source can be read only once:
 * drivers send the parts of it again by themselves. A `get` is tried again until its first byte.
 */
export function retrying(inner: Storage, retry: Retry): Storage {
  const doing = (what: string, key: ObjectKey) => `cannot ${what} ${key} in ${inner.describe()}`
  return wrapped(inner, {
    get: (cx, key, range) => retry.run(cx, doing('read', key), () => inner.get(cx, key, range)),
    stat: (cx, key) => retry.run(cx, doing('look at', key), () => inner.stat(cx, key)),
    delete: (cx, key) => retry.run(cx, doing('delete', key), () => inner.delete(cx, key)),
    sweep: (cx, olderThanMs, prefix) =>
      retry.run(cx, `cannot sweep ${inner.describe()}`, () => inner.sweep(cx, olderThanMs, prefix)),
    list: (cx, prefix, options) =>
      listing(retry, cx, inner.describe(), () => inner.list(cx, prefix, options)),
  })
}

/** A list that broke off begins anew, and what was given already is left out. */
async function* listing(
  retry: Retry,
  cx: Context,
  place: string,
  begin: () => AsyncIterable<StoredObject>,
): AsyncIterable<StoredObject> {
  let last: ObjectKey | undefined
  let objects: AsyncIterator<StoredObject> | undefined
  const next = async (): Promise<IteratorResult<StoredObject>> => {
    try {
      objects ??= begin()[Symbol.asyncIterator]()
      for (;;) {
        const result = await objects.next()
        if (result.done === true || last === undefined || compareKeys(result.value.key, last) > 0)
          return result
      }
    } catch (error) {
      objects = undefined
      throw error
    }
  }
  try {
    for (;;) {
      const result = await retry.run(cx, `cannot list ${place}`, next)
      if (result.done === true) return
      last = result.value.key
      yield result.value
    }
  } finally {
    await objects?.return?.()
  }
}
