import { redact } from '../../env/secret.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { HoldfastError, type ErrorCode } from '../../errors.js'
import { placeOf } from './connection.js'

/** The server's error codes that have one of ours (mongo/base/error_codes.yml). */
const serverErrors: Readonly<Record<number, ErrorCode>> = {
  6: 'database.unreachable', // HostUnreachable
  7: 'database.unreachable', // HostNotFound
  13: 'database.denied', // Unauthorized
  18: 'database.login-refused', // AuthenticationFailed
  33: 'database.denied', // OperationNotSupportedInTransaction
  46: 'database.busy', // LockBusy
  89: 'database.unreachable', // NetworkTimeout
  91: 'database.unreachable', // ShutdownInProgress
  8000: 'database.login-refused', // AtlasError, on a wrong password
  10107: 'database.unreachable', // NotWritablePrimary
  11600: 'database.unreachable', // InterruptedAtShutdown
}

interface DriverError extends Error {
  readonly code?: number | string
}

/** Names of the driver's errors that come from the network. */
const network = [
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoTopologyClosedError',
]

/** An error of the driver or the server as one of ours. */
export function databaseError(thrown: unknown, settings: ConnectionSettings): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const error = thrown as DriverError
  const secrets = settings.password === undefined ? [] : [settings.password]
  const code =
    serverErrors[Number(error.code)] ??
    (network.includes(error.name)
      ? 'database.unreachable'
      : /auth/iu.test(error.name) || /^MongoMissingCredentials/u.test(error.name)
        ? 'database.login-refused'
        : error.name === 'MongoParseError' || error.name === 'MongoInvalidArgumentError'
          ? 'config.invalid'
          : 'database.query-failed')
  return new HoldfastError(code, `${placeOf(settings)}: ${redact(error.message, secrets)}`, {
    cause: error,
    details: { database: settings.name, ...(error.code === undefined ? {} : { code: error.code }) },
  })
}
