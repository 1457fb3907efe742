import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import { HoldfastError } from '../errors.js'

/** The certificates of a file beside those that Node trusts; nothing where there is no file. @throws config.invalid */
export function trusted(ca: string | undefined, baseDirectory: string): { readonly ca?: string[] } {
  if (ca === undefined) return {}
  const path = resolve(baseDirectory, ca)
  try {
    return { ca: [...rootCertificates, readFileSync(path, 'utf8')] }
  } catch (error) {
    throw new HoldfastError('config.invalid', `the certificates in ca, ${path}, cannot be read`, {
      cause: error,
    })
  }
}
