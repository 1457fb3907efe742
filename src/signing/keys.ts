import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { HoldfastError } from '../errors.js'

/** An Ed25519 key that proves who wrote something. */
export interface PublicKey {
  /** SHA-256 of the key in DER (SubjectPublicKeyInfo), in hexadecimal: what a signature names its key by. */
  readonly id: string
  readonly object: KeyObject
}

export interface PrivateKey extends PublicKey {
  readonly secret: KeyObject
}

/** @param name of the setting, for errors. @throws key.invalid, which never quotes the key */
export function privateKeyOf(pem: string, passphrase: string | undefined, name: string): PrivateKey {
  const secret = parsed(
    () => createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) }),
    name,
  )
  return { secret, ...identified(createPublicKey(secret)) }
}

/** @throws key.invalid */
export function publicKeyOf(pem: string, name: string): PublicKey {
  return identified(parsed(() => createPublicKey(pem), name))
}

function parsed(parse: () => KeyObject, name: string): KeyObject {
  let key: KeyObject
  try {
    key = parse()
  } catch (error) {
    const { code = 'no reason given' } = error as { code?: string }
    throw new HoldfastError('key.invalid', `${name} cannot be read as a key in PEM (${code})`, {
      hint: howToMake,
    })
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new HoldfastError(
    'key.invalid',
    `${name} is a key of ${String(key.asymmetricKeyType)}, not of Ed25519`,
    {
      hint: howToMake,
    },
  )
}

const howToMake = 'openssl genpkey -algorithm ed25519 -out sign.pem makes one'

function identified(object: KeyObject): PublicKey {
  const der = object.export({ type: 'spki', format: 'der' })
  return { id: createHash('sha256').update(der).digest('hex'), object }
}
