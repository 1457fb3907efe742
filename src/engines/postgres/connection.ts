import { access } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { posix } from 'node:path'
import type { ConnectorSettings } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { Env } from '../../env/env.js'
import { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import { connectionString } from './quoting.js'

/** A connection with every default filled in, so that the driver and PostgreSQL's own tools reach the same server. */
export interface Connection {
  /** A name or address; a path, beginning with `/`, is the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password?: Secret
  /** libpq's own parameters: `sslmode`, `options`. */
  readonly parameters: Readonly<Record<string, string>>
}

/** The same database with the account for privileged statements, where one is configured. */
export function adminAccount(
  connection: Connection,
  { admin }: Pick<ConnectorSettings, 'admin'>,
): Connection {
  if (admin === undefined) return connection
  const { password: _own, ...rest } = connection
  return { ...rest, user: admin.user, ...(admin.password === undefined ? {} : { password: admin.password }) }
}

/** libpq's parameters that a URL may carry on to its tools; what belongs to an ORM (`schema`, `connection_limit`) is not among them. */
const libpqParameters = [
  ['sslmode', 'PGSSLMODE'],
  ['sslrootcert', 'PGSSLROOTCERT'],
  ['sslcert', 'PGSSLCERT'],
  ['sslkey', 'PGSSLKEY'],
  ['sslcrl', 'PGSSLCRL'],
  ['sslnegotiation', 'PGSSLNEGOTIATION'],
  ['sslsni', 'PGSSLSNI'],
  ['sslcompression', 'PGSSLCOMPRESSION'],
  ['ssl_min_protocol_version', 'PGSSLMINPROTOCOLVERSION'],
  ['ssl_max_protocol_version', 'PGSSLMAXPROTOCOLVERSION'],
  ['channel_binding', 'PGCHANNELBINDING'],
  ['require_auth', 'PGREQUIREAUTH'],
  ['options', 'PGOPTIONS'],
  ['connect_timeout', 'PGCONNECT_TIMEOUT'],
  ['gssencmode', 'PGGSSENCMODE'],
  ['krbsrvname', 'PGKRBSRVNAME'],
  ['target_session_attrs', 'PGTARGETSESSIONATTRS'],
] as const

const defaultPort = 5432
/** A server that does not answer at all must not hold a backup for ever; seconds. */
const connectTimeout = '15'

/**
 * Settings first, then libpq's variables, then libpq's defaults.
 * @throws config.invalid
 */
export async function resolveConnection(env: Env, settings: ConnectionSettings): Promise<Connection> {
  const { variables } = env
  const variable = (name: string) => (variables[name] === '' ? undefined : variables[name])
  const port = settings.port ?? Number(variable('PGPORT') ?? defaultPort)
  const named = settings.socket ?? settings.host ?? variable('PGHOST')
  const host = named ?? (await usualSocketFolder(env, port)) ?? 'localhost'
  if (host.includes(',')) throw new HoldfastError('config.invalid', `several hosts are named: ${host}`)
  const password = settings.password ?? secretOf(variable('PGPASSWORD'))
  const parameters: Record<string, string> = { connect_timeout: connectTimeout }
  for (const [keyword, name] of libpqParameters) {
    const value = settings.parameters[keyword] ?? variable(name)
    if (value !== undefined) parameters[keyword] = value
  }
  return {
    ...socketOrHost(host, port),
    user: settings.user ?? variable('PGUSER') ?? userInfo().username,
    database: settings.name,
    ...(password === undefined || password.reveal() === '' ? {} : { password }),
    parameters,
  }
}

function secretOf(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value)
}

/** A socket may be given by its folder or by its own path, which ends with the port. */
function socketOrHost(host: string, port: number): { readonly host: string; readonly port: number } {
  const socket = /^(\/.*)\/\.s\.PGSQL\.(\d+)$/u.exec(host)
  return socket === null ? { host, port } : { host: socket[1] ?? '/', port: Number(socket[2]) }
}

/** Where the servers of Debian and of others put their sockets. */
async function usualSocketFolder(env: Env, port: number): Promise<string | undefined> {
  if (env.platform === 'win32') return undefined
  for (const folder of ['/var/run/postgresql', '/tmp']) {
    const there = await access(posix.join(folder, `.s.PGSQL.${port}`)).then(
      () => true,
      () => false,
    )
    if (there) return folder
  }
  return undefined
}

/**
 * How PostgreSQL's programs are told where to connect. All but the password stands in arguments, so that it also reaches a
 * program behind a prefix such as `docker exec`. `--name=value` is safe for values that begin with a dash.
 */
export function connectionArguments({
  host,
  port,
  user,
  database,
  parameters,
}: Connection): readonly string[] {
  const target = connectionString({ dbname: database, application_name: 'holdfast', ...parameters })
  return [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--dbname=${target}`, '--no-password']
}

/** The server and database for people: never with a user or password. */
export function placeOf({ host, port, database }: Connection): string {
  const server = host.startsWith('/')
    ? `${host}:${port}`
    : `${host.includes(':') ? `[${host}]` : host}:${port}`
  // A name may hold anything, also what would play tricks on a terminal.
  return `postgresql://${server}/${database}`.replace(/\p{Cc}/gu, '?')
}
