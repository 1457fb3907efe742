import { redact } from '../../env/secret.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { HoldfastError, type ErrorCode } from '../../errors.js'
import { defaultPort, hostOf } from './option-file.js'

/** The server's error numbers that have a code of their own. */
const serverErrors: Readonly<Record<number, ErrorCode>> = {
  1040: 'database.unreachable', // too many connections
  1044: 'database.denied', // no access to this database
  1045: 'database.login-refused',
  1049: 'database.not-found',
  1129: 'database.login-refused', // host blocked
  1130: 'database.login-refused', // host not allowed
  1142: 'database.denied',
  1143: 'database.denied',
  1205: 'database.busy', // lock wait timeout
  1227: 'database.denied', // SUPER or the like needed
  1251: 'database.login-refused', // authentication protocol not supported
  1290: 'database.denied', // the server is read-only
  1370: 'database.denied', // routine
  1419: 'database.denied',
  1524: 'database.login-refused', // authentication plugin not loaded
  1698: 'database.login-refused',
  1820: 'database.login-refused', // password must be changed
  1836: 'database.denied', // read-only mode
  1862: 'database.login-refused', // password expired
  3118: 'database.login-refused', // account locked
  4151: 'database.login-refused', // account locked, MariaDB
}

/** The driver's own. All others without a number come from the network. */
const driverErrors: Readonly<Record<string, ErrorCode>> = {
  AUTH_SWITCH_PLUGIN_ERROR: 'database.login-refused',
  HANDSHAKE_UNKNOWN_ERROR: 'database.unreachable',
}

interface DriverError extends Error {
  readonly errno?: number
  readonly code?: string
  readonly sqlState?: string
}

/** An error of the driver or the server as one of ours; the statement stays in `details`. */
export function databaseError(thrown: unknown, settings: ConnectionSettings, sql?: string): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const error = thrown as DriverError
  const secrets = settings.password === undefined ? [] : [settings.password]
  const said = redact(error.message === '' ? (error.code ?? 'no answer') : error.message, secrets)
  const fromServer = error.sqlState !== undefined && error.errno !== undefined
  const code = fromServer
    ? (serverErrors[error.errno ?? 0] ?? 'database.query-failed')
    : (driverErrors[error.code ?? ''] ?? 'database.unreachable')
  const tls = /SSL|TLS|CERT/u.test(error.code ?? '') && !fromServer
  return new HoldfastError(code, `${placeOf(settings)}: ${said}`, {
    cause: error,
    ...(tls
      ? { hint: 'check ssl-mode and ssl-ca; the server may not offer TLS, or not with a known certificate' }
      : {}),
    details: { database: settings.name, ...(sql === undefined ? {} : { statement: sql }) },
  })
}

/** Where a database is, for people: `mysql://user@host:3306/shop`, never with a password. */
export function placeOf(settings: ConnectionSettings): string {
  const user = settings.user === undefined ? '' : `${settings.user}@`
  const where = settings.socket ?? `${hostOf(settings)}:${settings.port ?? defaultPort}`
  return `${settings.engine}://${user}${where}/${settings.name}`
}
