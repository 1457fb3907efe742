import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Env } from '../env/env.js'
import { HoldfastError } from '../errors.js'
import { privateKeyOf, publicKeyOf } from '../signing/keys.js'
import { noSigning, Signing } from '../signing/signing.js'
import type { SignConfig } from './config.js'
import { asSecret } from './connection.js'

interface Place {
  /** Where the configuration came from. */
  readonly source: string
  readonly baseDirectory: string
  readonly env: Env
}

/** @throws config.invalid where no key is named; key.invalid, which never quotes a key */
export function resolveSigning(config: SignConfig | undefined, place: Place): Signing {
  if (config === undefined) return noSigning
  const key = asSecret(config.key)
  const { publicKeys = [] } = config
  if (key === undefined && publicKeys.length === 0)
    throw new HoldfastError('config.invalid', `sign (${place.source}) names no key`, {
      hint: 'give key to sign, or publicKeys to check what others signed',
    })
  const known = publicKeys.map((each, index) => {
    const name = `sign.publicKeys.${index} (${place.source})`
    return publicKeyOf(pemOf(each, name, place), name)
  })
  if (key === undefined) return new Signing(undefined, known)
  const name = `sign.key (${place.source})`
  const passphrase = asSecret(config.passphrase)?.reveal()
  return new Signing(privateKeyOf(pemOf(key.reveal(), name, place), passphrase, name), known)
}

/** The text itself, or that of the file it names. */
function pemOf(given: string, name: string, { env, baseDirectory }: Place): string {
  if (given.includes('-----BEGIN')) return given
  const path = /^~(?=[/\\])/u.test(given)
    ? join(env.homeDirectory, given.slice(1))
    : resolve(baseDirectory, given)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // What is no path may be a key without its first line: it is not shown.
    const { code = 'no reason given' } = error as NodeJS.ErrnoException
    throw new HoldfastError(
      'key.invalid',
      `${name} is neither a key in PEM nor a file that can be read (${code})`,
      {
        hint: 'give the text of a key in PEM, or the path of its file',
      },
    )
  }
}
