import { getSystemErrorMap } from 'node:util'
import { HoldfastError, type ErrorCode } from '../../errors.js'

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'storage.full',
  EDQUOT: 'storage.full',
  EFBIG: 'storage.full',
  EACCES: 'storage.denied',
  EPERM: 'storage.denied',
  EROFS: 'storage.denied',
  ELOOP: 'storage.denied',
  ENOENT: 'storage.not-found',
  // A folder where an object should be, or an object where a folder should be.
  EEXIST: 'storage.exists',
  EISDIR: 'storage.exists',
  ENOTDIR: 'storage.exists',
  ENOTEMPTY: 'storage.exists',
  ENAMETOOLONG: 'storage.unsafe-key',
  EILSEQ: 'storage.unsafe-key',
  ENODEV: 'storage.unreachable',
  ENOTCONN: 'storage.unreachable',
  ESTALE: 'storage.unreachable',
  ETIMEDOUT: 'storage.unreachable',
  EHOSTDOWN: 'storage.unreachable',
}

/** The error code of a failed system call: `ENOSPC`. */
export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined
}

/** Whether the file, or a folder on the way to it, is not there. */
export function isMissing(thrown: unknown): boolean {
  const code = systemCode(thrown)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/**
 * What a failed system call means for a storage.
 * @param doing what was tried: `cannot write shop/app.dump in local /backups`
 */
export function storageError(
  thrown: unknown,
  doing: string,
  details: Readonly<Record<string, unknown>> = {},
): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const code = systemCode(thrown)
  const description =
    describeSystemError(thrown) ?? (thrown instanceof Error ? thrown.message : String(thrown))
  return new HoldfastError(codes[code ?? ''] ?? 'storage.failed', `${doing}: ${description}`, {
    cause: thrown,
    details: { ...details, ...(code === undefined ? {} : { systemCode: code }) },
  })
}

function describeSystemError(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error && 'errno' in thrown && typeof thrown.errno === 'number')) return undefined
  return getSystemErrorMap().get(thrown.errno)?.[1]
}
