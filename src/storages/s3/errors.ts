import type { ErrorCode } from '../../errors.js'
import type { HoldfastError } from '../../errors.js'
import { remoteError } from '../remote-errors.js'

/** What S3 and the services like it call their errors (S3 API Reference, "Error responses"). */
const ofServiceCode: Readonly<Record<string, ErrorCode>> = {
  NoSuchKey: 'storage.not-found',
  NoSuchBucket: 'storage.not-found',
  NotFound: 'storage.not-found',
  AccessDenied: 'storage.denied',
  AllAccessDisabled: 'storage.denied',
  AccountProblem: 'storage.denied',
  InvalidAccessKeyId: 'storage.login-refused',
  SignatureDoesNotMatch: 'storage.login-refused',
  InvalidToken: 'storage.login-refused',
  ExpiredToken: 'storage.login-refused',
  RequestTimeTooSkewed: 'storage.login-refused',
  CredentialsProviderError: 'storage.login-refused',
  TokenProviderError: 'storage.login-refused',
  PreconditionFailed: 'storage.exists',
  ConditionalRequestConflict: 'storage.busy',
  OperationAborted: 'storage.busy',
  SlowDown: 'storage.busy',
  ThrottlingException: 'storage.busy',
  TooManyRequests: 'storage.busy',
  ServiceUnavailable: 'storage.busy',
  InternalError: 'storage.failed',
  RequestTimeout: 'storage.unreachable',
  QuotaExceeded: 'storage.full',
  // MinIO and Ceph, where a disk or a bucket's quota is full.
  XMinioStorageFull: 'storage.full',
  XMinioAdminBucketQuotaExceeded: 'storage.full',
  EntityTooLarge: 'storage.full',
  ObjectLocked: 'storage.retained',
}

/** What a bucket must have for `immutableFor`. */
export const needsLock = 'immutableFor needs a bucket with object lock'

const hints: Readonly<Record<string, string>> = {
  NoSuchBucket: 'make the bucket first, or correct its name',
  RequestTimeTooSkewed: "set this machine's clock",
  ExpiredToken: 'the temporary credentials have ended: get new ones',
  CredentialsProviderError:
    'set accessKeyId and secretAccessKey, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
  PermanentRedirect: 'the bucket is in another region: set region',
  AuthorizationHeaderMalformed: 'the bucket is in another region: set region',
}

/** Codes whose request may be right the next time: credentials are taken anew for it. */
const passing = new Set(['ExpiredToken', 'RequestTimeout', 'BadDigest', 'XAmzContentSHA256Mismatch'])

/** What an error of the client means. */
export function s3Error(
  thrown: unknown,
  doing: string,
  details: Readonly<Record<string, unknown>> = {},
): HoldfastError {
  const { status, retryAfter } = answerOf(thrown)
  const name = serviceCodeOf(thrown)
  return remoteError({
    thrown,
    doing,
    status,
    serviceCode: name,
    code: ofServiceCode[name ?? ''],
    hint: hints[name ?? ''] ?? (asksForLock(thrown) ? needsLock : undefined),
    ...(passing.has(name ?? '') ? { passing: true } : {}),
    retryAfter,
    details,
  })
}

/** What a bucket without object lock says to a lock has no code of its own. */
function asksForLock(thrown: unknown): boolean {
  return thrown instanceof Error && /missing object ?lock/iu.test(thrown.message)
}

/** The service's own code: `NoSuchKey`. */
export function serviceCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined
  if ('Code' in thrown && typeof thrown.Code === 'string') return thrown.Code
  return thrown.name === 'Error' || thrown.name === 'Unknown' ? undefined : thrown.name
}

interface Answer {
  readonly status?: number
  readonly retryAfter?: string
}

function answerOf(thrown: unknown): Answer {
  if (!(thrown instanceof Error)) return {}
  const { $metadata, $response } = thrown as {
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
  }
  const status = $metadata?.httpStatusCode
  const after = $response?.headers?.['retry-after']
  return {
    ...(status === undefined ? {} : { status }),
    ...(after === undefined ? {} : { retryAfter: after }),
  }
}

/** The status of the answer, where there was one. */
export function statusOf(thrown: unknown): number | undefined {
  return answerOf(thrown).status
}
