import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { resolve } from 'node:path'
import type { ConnectorFactory } from '../engine/connector.js'
import type { ConnectionSettings, Engine, ServerFacts } from '../engine/engine.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import type { ConnectorDescription } from './definition.js'

/** The engine that comes with a connector for one that Holdfast does not know: its databases are files, or on a server. */
export function customEngine(description: ConnectorDescription, factory: () => ConnectorFactory): Engine {
  const { name, engine, server = false, schemas = false } = description
  return {
    name: engine,
    aliases: [],
    capabilities: {
      server,
      schemas,
      transactionalRestore: description.transactional ?? description.replacesFile ?? false,
    },
    parse: (url, baseDirectory) => (server ? serverOf(engine, url) : fileOf(engine, url, baseDirectory)),
    open: (_cx, settings) =>
      Promise.resolve({
        facts: () => (server ? Promise.reject(unasked(name)) : fileFacts(settings)),
        close: () => Promise.resolve(),
      }),
    get connectors() {
      return { [name]: factory() }
    },
    defaultConnector: name,
  }
}

function unasked(connector: string): HoldfastError {
  return new HoldfastError(
    'usage.not-supported',
    `the connector ${connector} is for a server and does not tell how to look into a database`,
    { hint: 'give it inspect' },
  )
}

/** `engine:./path`, `engine:///path`. */
function fileOf(engine: string, url: string, baseDirectory: string): ConnectionSettings {
  const rest = url.slice(url.indexOf(':') + 1)
  const path = rest.startsWith('///')
    ? fileURLToPath(`file:${rest}`)
    : decodeURIComponent(rest.replace(/^\/\//u, ''))
  if (path === '') throw new HoldfastError('config.invalid', `the URL of a ${engine} database names no file`)
  return { engine, name: resolve(baseDirectory, path), parameters: {} }
}

/** `engine://user:password@host:port/name?parameter=value`. @throws config.invalid, never with a part of the URL */
function serverOf(engine: string, url: string): ConnectionSettings {
  let parsed: URL
  try {
    // A scheme of no meaning, since some have a port that is left out when it is the usual one.
    parsed = new URL(url.replace(/^[^:]*/u, 'holdfast'))
  } catch {
    throw new HoldfastError('config.invalid', `the URL of a ${engine} database cannot be read`, {
      hint: 'percent-encode special characters of user, password and database',
    })
  }
  const { hostname, port, username, password, pathname, searchParams } = parsed
  return {
    engine,
    name: decodeURIComponent(pathname.slice(1)),
    host: hostname.replace(/^\[(.*)\]$/u, '$1'),
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' ? {} : { user: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: new Secret(decodeURIComponent(password)) }),
    parameters: Object.fromEntries(searchParams),
  }
}

/** What can be known of a file without knowing what is in it. */
async function fileFacts({ engine, name }: ConnectionSettings): Promise<ServerFacts> {
  const found = await stat(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT')
      throw new HoldfastError('database.denied', `${name} cannot be looked at`, { cause: error })
    return undefined
  })
  if (found?.isFile() !== true) throw new HoldfastError('database.not-found', `there is no file ${name}`)
  return {
    product: engine,
    version: 'unknown',
    database: name,
    sizeBytes: found.size,
    tables: [],
    objectCount: found.size > 0 ? 1 : 0,
    migrations: [],
    schemaHash: 'unknown',
    warnings: [],
  }
}
