import { basename } from 'node:path'
import { HoldfastError } from '../errors.js'

/** What a file system says of a file that is written to, as an error for people; others as they are. */
export function outputError(error: unknown, path: string): unknown {
  const codes: Record<string, ConstructorParameters<typeof HoldfastError>[0]> = {
    EEXIST: 'storage.exists',
    ENOSPC: 'storage.full',
    EDQUOT: 'storage.full',
    EACCES: 'storage.denied',
    EPERM: 'storage.denied',
    EROFS: 'storage.denied',
    ENOENT: 'storage.not-found',
    ENOTDIR: 'storage.not-found',
  }
  const code = codes[(error as NodeJS.ErrnoException).code ?? '']
  if (code === undefined) return error
  const what: Partial<Record<typeof code, string>> = {
    'storage.exists': `${path} is there already`,
    'storage.full': `there is no space left for ${basename(path)}`,
    'storage.not-found': `the folder of ${path} does not exist`,
  }
  return new HoldfastError(code, what[code] ?? `${path} cannot be written`, {
    cause: error,
    ...(code === 'storage.not-found' ? { hint: 'make it first, or check the path' } : {}),
  })
}
