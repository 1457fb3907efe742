import { createRequire } from 'node:module'
import type pg from 'pg'

let driver: typeof pg | undefined

/**
 * The driver, loaded when it is used. Where there is no `navigator` (Node 20), it makes a `Response` to find out whether it runs on
 * Cloudflare (https://github.com/brianc/node-postgres/blob/master/packages/pg/lib/stream.js), for which Node loads all of its
 * `fetch`: longer than the driver itself takes. So there is one for that moment, which says that this is Node.
 */
export function loadDriver(): typeof pg {
  return (driver ??= loadBy(createRequire(import.meta.url)))
}

/** For {@link loadDriver}, and its test. */
export function loadBy(require: (id: string) => unknown): typeof pg {
  const scope = globalThis as { navigator?: unknown }
  if (scope.navigator !== undefined) return require('pg') as typeof pg
  const value = { userAgent: `Node.js/${process.versions.node}` }
  Object.defineProperty(scope, 'navigator', { value, configurable: true })
  try {
    return require('pg') as typeof pg
  } finally {
    delete scope.navigator
  }
}
