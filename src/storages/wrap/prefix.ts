import { objectKey } from '../object-key.js'
import type { ObjectKey, Storage, StoredObject } from '../storage.js'
import { wrapped } from './wrapped.js'

/** The part of a storage whose keys begin with `prefix/`, as a storage of its own. */
export function withPrefix(inner: Storage, prefix: ObjectKey): Storage {
  const outer = (key: ObjectKey): ObjectKey => objectKey(`${prefix}/${key}`)
  const own = (object: StoredObject): StoredObject => ({
    ...object,
    key: object.key.slice(prefix.length + 1) as ObjectKey,
  })
  return wrapped(inner, {
    describe: () => `${inner.describe()}, ${prefix}/`,
    put: async (cx, key, body, options) => own(await inner.put(cx, outer(key), body, options)),
    get: (cx, key, range) => inner.get(cx, outer(key), range),
    async stat(cx, key) {
      const found = await inner.stat(cx, outer(key))
      return found === undefined ? undefined : own(found)
    },
    async *list(cx, start, options) {
      const marks = async () => ((await options?.marks?.()) ?? []).map(outer)
      for await (const object of inner.list(cx, `${prefix}/${start}`, { marks })) yield own(object)
    },
    delete: (cx, key) => inner.delete(cx, outer(key)),
    sweep: (cx, olderThanMs, start = '') => inner.sweep(cx, olderThanMs, `${prefix}/${start}`),
  })
}
