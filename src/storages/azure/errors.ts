import type { ErrorCode, HoldfastError } from '../../errors.js'
import { remoteError } from '../remote-errors.js'

/** What the service calls its errors ("Blob service error codes"). */
const ofServiceCode: Readonly<Record<string, ErrorCode>> = {
  AuthenticationFailed: 'storage.login-refused',
  InvalidAuthenticationInfo: 'storage.login-refused',
  NoAuthenticationInformation: 'storage.login-refused',
  AccountIsDisabled: 'storage.denied',
  AuthorizationFailure: 'storage.denied',
  AuthorizationPermissionMismatch: 'storage.denied',
  InsufficientAccountPermissions: 'storage.denied',
  BlobAlreadyExists: 'storage.exists',
  BlobImmutableDueToPolicy: 'storage.retained',
  ContainerNotFound: 'storage.not-found',
  ContainerBeingDeleted: 'storage.busy',
  ServerBusy: 'storage.busy',
  OperationTimedOut: 'storage.unreachable',
  InternalError: 'storage.failed',
  LeaseIdMissing: 'storage.retained',
}

/** What an error of the client means. */
export function azureError(
  thrown: unknown,
  doing: string,
  details: Readonly<Record<string, unknown>> = {},
): HoldfastError {
  const { status, serviceCode, retryAfter } = answerOf(thrown)
  return remoteError({
    thrown: thrown instanceof Error ? shortened(thrown) : thrown,
    doing,
    status,
    serviceCode,
    code: failedLogin(thrown) ? 'storage.login-refused' : ofServiceCode[serviceCode ?? ''],
    hint: serviceCode === 'ContainerNotFound' ? 'make the container first, or correct its name' : undefined,
    retryAfter,
    details,
  })
}

/** Some servers give a login that fails the code of a missing permission. */
function failedLogin(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('Server failed to authenticate the request')
}

/** The client's messages end in the whole request; the service's in its id and the time, a line each. */
function shortened(thrown: Error): Error {
  if (thrown.name !== 'RestError') return thrown
  const [first = ''] = thrown.message.split('\n')
  return new Error(first, { cause: thrown })
}

/** The status of the answer, where there was one. */
export function statusOf(thrown: unknown): number | undefined {
  return answerOf(thrown).status
}

function answerOf(thrown: unknown): {
  readonly status?: number
  readonly serviceCode?: string
  readonly retryAfter?: string
} {
  if (!(thrown instanceof Error)) return {}
  const { statusCode, code, response } = thrown as {
    readonly statusCode?: number
    readonly code?: string
    readonly response?: { readonly headers?: { get(name: string): string | undefined } }
  }
  if (statusCode === undefined) return {}
  // An answer to HEAD has no body; its code is in a header.
  const serviceCode = response?.headers?.get('x-ms-error-code') ?? code
  const retryAfter = response?.headers?.get('retry-after')
  return {
    status: statusCode,
    ...(serviceCode === undefined ? {} : { serviceCode }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}
