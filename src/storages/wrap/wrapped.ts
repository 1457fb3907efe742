import type { Storage } from '../storage.js'

/** A storage that does what another does, but for some of its methods. */
export function wrapped(inner: Storage, own: Partial<Storage>): Storage {
  return {
    capabilities: inner.capabilities,
    describe: () => inner.describe(),
    put: (cx, key, body, options) => inner.put(cx, key, body, options),
    get: (cx, key, range) => inner.get(cx, key, range),
    stat: (cx, key) => inner.stat(cx, key),
    list: (cx, prefix, options) => inner.list(cx, prefix, options),
    delete: (cx, key) => inner.delete(cx, key),
    sweep: (cx, olderThanMs, prefix) => inner.sweep(cx, olderThanMs, prefix),
    ...(inner.freeBytes === undefined ? {} : { freeBytes: inner.freeBytes.bind(inner) }),
    close: () => inner.close(),
    ...own,
  }
}
