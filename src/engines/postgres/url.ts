import { isAbsolute, resolve } from 'node:path'
import type { ConnectionSettings } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { decode, encodingHint, invalid } from '../url-text.js'

export const engineName = 'postgresql'

/** Parameters that start with `ssl` and are known to libpq, Prisma or node-postgres; any other is a slip of the pen. */
const tlsParameters = [
  'ssl',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslcrl',
  'sslnegotiation',
  'sslsni',
  'sslcompression',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'sslaccept',
  'sslidentity',
]
const filesOfTls = ['sslrootcert', 'sslcert', 'sslkey', 'sslcrl']
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/**
 * Reads `postgres://user:password@host:5432/shop?sslmode=verify-full`, with what libpq reads in it
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS) and Prisma's `schema`.
 * @throws config.invalid, never with a part of the URL that could hold the password
 */
export function parseUrl(url: string, baseDirectory: string): ConnectionSettings {
  const parsed = readUrl(url)
  const query = queryOf(parsed)
  const password = take(query, 'password') ?? decode(parsed.password, 'the password')
  const user = take(query, 'user') ?? decode(parsed.username, 'the user')
  const host = hostOf(parsed, query)
  const port = portOf(take(query, 'port') ?? parsed.port)
  const name = take(query, 'dbname') ?? decode(parsed.pathname.replace(/^\//u, ''), 'the database')
  // libpq's rule: a database without a name has the user's.
  const database = name !== '' ? name : user
  if (database === '') throw invalid('the URL names no database')
  return {
    engine: engineName,
    name: database,
    ...(host.socket === undefined ? {} : { socket: host.socket }),
    ...(host.host === undefined ? {} : { host: host.host }),
    ...(port === undefined ? {} : { port }),
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password: new Secret(password) }),
    parameters: parametersOf(query, baseDirectory),
  }
}

function readUrl(url: string): URL {
  let parsed: URL
  try {
    // libpq lets the host be empty everywhere, WHATWG URLs only where nothing else stands beside it.
    parsed = new URL(url.replace(/^([a-z+]+:\/\/(?:[^/?#]*@)?)(?=[:/?#]|$)/iu, `$1${noHost}`))
  } catch {
    // Never as `cause`: Node's error carries the whole input.
    throw invalid('the URL of a PostgreSQL database cannot be read', encodingHint)
  }
  // An unencoded `#` or `/` in a password makes the rest of it look like a fragment or the path.
  if (parsed.hash !== '' || (parsed.username === '' && parsed.pathname.includes('@'))) {
    throw invalid('the URL of a PostgreSQL database has a # or @ out of place', encodingHint)
  }
  return parsed
}

const noHost = 'no-host.invalid'

function queryOf(parsed: URL): Map<string, string> {
  const query = new Map<string, string>()
  for (const pair of parsed.search.slice(1).split('&')) {
    if (pair === '') continue
    const [name = '', ...rest] = pair.split('=')
    // Not URLSearchParams: it would read a plus sign as a space, which libpq does not.
    query.set(decode(name, 'a parameter'), decode(rest.join('='), `the parameter ${name}`))
  }
  return query
}

function take(query: Map<string, string>, name: string): string | undefined {
  const value = query.get(name)
  query.delete(name)
  return value
}

function hostOf(
  parsed: URL,
  query: Map<string, string>,
): { readonly host?: string; readonly socket?: string } {
  const socket = take(query, 'socket')
  const named = take(query, 'host') ?? decode(parsed.hostname.replace(/^\[(.*)\]$/u, '$1'), 'the host')
  const host = socket ?? (named === noHost ? '' : named)
  if (host.includes(',')) throw invalid('the URL names several hosts; Holdfast takes one')
  if (host === '') return {}
  return socket !== undefined || host.startsWith('/') ? { socket: host } : { host }
}

function portOf(text: string): number | undefined {
  if (text === '') return undefined
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid('the URL has a port that is not a number')
  return port
}

function parametersOf(query: Map<string, string>, baseDirectory: string): Readonly<Record<string, string>> {
  for (const name of query.keys()) {
    if (name === 'sslpassword') {
      throw invalid(
        'sslpassword is not supported: use a key file without a passphrase, readable by its owner alone',
      )
    }
    if (name.toLowerCase().startsWith('ssl') && !tlsParameters.includes(name)) {
      throw invalid(
        `${name} is not a parameter of PostgreSQL; there are ${tlsParameters.slice(0, 6).join(', ')}`,
      )
    }
  }
  if (take(query, 'ssl') === 'true' && !query.has('sslmode')) query.set('sslmode', 'require')
  const mode = query.get('sslmode')
  // node-postgres' word for what libpq calls require.
  if (mode === 'no-verify') query.set('sslmode', 'require')
  else if (mode !== undefined && !sslModes.includes(mode)) {
    throw invalid(`sslmode is none of ${sslModes.join(', ')}`)
  }
  for (const name of filesOfTls) {
    const file = query.get(name)
    if (file !== undefined && file !== 'system' && !isAbsolute(file))
      query.set(name, resolve(baseDirectory, file))
  }
  return Object.fromEntries(query)
}
