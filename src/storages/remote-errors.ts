import { HoldfastError, type ErrorCode } from '../errors.js'

/** What a service over HTTP said, or why it could not be asked. */
export interface RemoteFailure {
  readonly thrown: unknown
  /** What was tried: `cannot write shop/app.dump in s3 backups`. */
  readonly doing: string
  /** The HTTP status, where there was an answer. */
  readonly status?: number | undefined
  /** The service's own code for it: `SlowDown`. */
  readonly serviceCode?: string | undefined
  /** What that code means, where the driver knows it better than the status does. */
  readonly code?: ErrorCode | undefined
  readonly hint?: string | undefined
  /** Whether trying again may help, where the code does not tell. */
  readonly passing?: boolean | undefined
  readonly retryAfter?: string | null | undefined
  readonly details?: Readonly<Record<string, unknown>>
}

/** By RFC 9110 and, for 423 and 507, RFC 4918. */
const ofStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'storage.login-refused',
  403: 'storage.denied',
  404: 'storage.not-found',
  408: 'storage.unreachable',
  409: 'storage.exists',
  412: 'storage.exists',
  413: 'storage.full',
  423: 'storage.retained',
  429: 'storage.busy',
  502: 'storage.unreachable',
  503: 'storage.busy',
  504: 'storage.unreachable',
  507: 'storage.full',
}

/** Between this machine and the service. */
const networkCodes = new Set([
  ...['EAI_AGAIN', 'ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN'],
  ...['ENETUNREACH', 'ENOTFOUND', 'EPIPE', 'ESOCKETTIMEDOUT', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'],
  'TimeoutError',
])

const certificateCodes =
  /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/u

/**
 * The same error code for the same mishap in every remote storage. What trying again cannot help, though its code says it may, has
 * `details.passing: false`; the time that the service asks to wait is in `details.retryAfterMs`.
 */
export function remoteError(failure: RemoteFailure): HoldfastError {
  const { thrown, doing, status, serviceCode, hint } = failure
  if (thrown instanceof HoldfastError) return thrown
  const network = networkCode(thrown)
  const certificate = network !== undefined && certificateCodes.test(network)
  const code =
    failure.code ??
    ofStatus[status ?? 0] ??
    (certificate ? 'storage.untrusted' : network === undefined ? 'storage.failed' : 'storage.unreachable')
  // A request that the service calls wrong is wrong the next time, too.
  const refused = status !== undefined && status >= 400 && status < 500 && code === 'storage.failed'
  const passing = failure.passing ?? (refused ? false : undefined)
  const retryAfterMs = retryAfter(failure.retryAfter)
  const said = [
    thrown instanceof Error && thrown.message !== '' ? thrown.message : undefined,
    serviceCode ?? network,
  ]
  const shown = [...new Set(said.filter((text) => text !== undefined && text !== 'UnknownError'))]
  if (status !== undefined && shown.length === 0) shown.push(`HTTP status ${status}`)
  const why = shown.length === 2 ? `${shown[0]} (${shown[1]})` : (shown[0] ?? String(thrown))
  return new HoldfastError(code, `${doing}: ${why.replace(/\s+/gu, ' ')}`, {
    cause: thrown,
    ...(hint !== undefined ? { hint } : certificate ? { hint: certificateHint } : {}),
    details: {
      ...failure.details,
      ...(status === undefined ? {} : { status }),
      ...(serviceCode === undefined ? {} : { serviceCode }),
      ...(passing === undefined ? {} : { passing }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  })
}

const certificateHint = 'where the server has a certificate of your own authority, give its file as ca'

/** The code of a failed connection, also where a client has wrapped it. */
function networkCode(thrown: unknown): string | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
    if (networkCodes.has(code) || certificateCodes.test(code)) return code
  }
  return undefined
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || !/^\d{1,6}$/u.test(text.trim())) return undefined
  return Number(text) * 1000
}
