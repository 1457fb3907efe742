import type { DevServerDriver } from '../engine/dev-server.js'
import { asHoldfastError, HoldfastError } from '../errors.js'

/**
 * A development server of one's own, for an engine that Holdfast does not know, or in place of the one it has. What it does not
 * say is done as for every server: folder, port, pid, readiness, stop, lock.
 * @throws config.invalid for a definition that lacks what a server needs
 *
 * @example
 * export default defineConfig({
 *   devServers: {
 *     redis: defineDevServer({
 *       engine: 'redis',
 *       find: () => Promise.resolve({ product: 'Redis', version: '7', paths: { server: '/usr/bin/redis-server' } }),
 *       command: ({ port, dataDirectory }) => ({
 *         program: '/usr/bin/redis-server',
 *         args: ['--port', String(port), '--dir', dataDirectory],
 *       }),
 *       ask: ({ signal }, { port }) => ping(port, signal),
 *       url: ({ host, port }) => `redis://${host}:${port}`,
 *     }),
 *   },
 * })
 */
export function defineDevServer(definition: DevServerDriver): DevServerDriver {
  const missing = (['engine', 'find', 'ask', 'url'] as const).filter((name) => !(name in definition))
  if (missing.length > 0 || !/^[a-z][\w.-]*$/u.test(definition.engine)) {
    const what =
      missing.length > 0 ? `needs ${missing.join(', ')}` : `has an engine that cannot name a folder`
    throw new HoldfastError('config.invalid', `a development server ${what}`)
  }
  const { engine } = definition
  const named = <Result>(run: () => Promise<Result>) => namedErrors(engine, run)
  const { create, backup, restore } = {
    create: definition.create?.bind(definition),
    backup: definition.backup?.bind(definition),
    restore: definition.restore?.bind(definition),
  }
  return {
    ...definition,
    // What is not waited for and tried again: an error there is the user's, and is named so.
    find: (cx, wanted) => named(() => definition.find(cx, wanted)),
    ...(create === undefined ? {} : { create: (cx, site) => named(() => create(cx, site)) }),
    ...(backup === undefined ? {} : { backup: (cx, site, to) => named(() => backup(cx, site, to)) }),
    ...(restore === undefined ? {} : { restore: (cx, site, from) => named(() => restore(cx, site, from)) }),
  }
}

async function namedErrors<Result>(engine: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (thrown) {
    const error = asHoldfastError(thrown, 'connector.failed')
    if (error === thrown) throw error
    throw new HoldfastError(error.code, `the development server ${engine}: ${error.message}`, {
      cause: thrown,
    })
  }
}
