import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto'
import type { Identity, Recipient } from 'age-encryption'
import type { Env } from '../../env/env.js'
import type { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'

/*
 * The scrypt stanza of age (https://c2sp.org/age, "The scrypt recipient type"), as a recipient and an identity of the
 * library's interfaces. The library has its own, but those cannot be joined with the recipient that learns the file key, and
 * they stop the event loop for a second; Node's scrypt runs on the thread pool.
 */

const label = 'age-encryption.org/v1/scrypt'
const saltBytes = 16
const fileKeyBytes = 16
const tagBytes = 16
/** What the age program uses. */
const workFactor = 18
/** 1 GB of memory; a header that asks for more is refused. */
const maxWorkFactor = 20
const algorithm = 'chacha20-poly1305'
/** The key is used once. */
const zeroNonce = Buffer.alloc(12)

export async function scryptRecipient(env: Env, passphrase: Secret): Promise<Recipient> {
  const { Stanza } = await import('age-encryption')
  return {
    async wrapFileKey(fileKey) {
      const salt = Buffer.from(env.randomBytes(saltBytes))
      const key = await deriveKey(passphrase, salt, workFactor)
      const cipher = createCipheriv(algorithm, key, zeroNonce, { authTagLength: tagBytes })
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
      return [new Stanza(['scrypt', unpadded(salt), String(workFactor)], body)]
    },
  }
}

/** Gives `null`, as the library wants it, where the passphrase does not open the file. */
export function scryptIdentity(passphrase: Secret): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const stanza = stanzas[0]
      if (stanza === undefined || stanzas.length !== 1)
        throw damaged('a passphrase stands beside other recipients')
      const [, saltText = '', factorText = ''] = stanza.args
      const salt = Buffer.from(saltText, 'base64')
      if (stanza.args.length !== 3 || unpadded(salt) !== saltText || salt.length !== saltBytes)
        throw damaged('its salt is not one')
      if (!/^[1-9][0-9]?$/u.test(factorText)) throw damaged('its work factor is not one')
      if (Number(factorText) > maxWorkFactor)
        throw damaged(`its work factor is ${factorText}, and ${maxWorkFactor} is the most that is done`)
      if (stanza.body.length !== fileKeyBytes + tagBytes) throw damaged('its file key has the wrong length')
      return opened(await deriveKey(passphrase, salt, Number(factorText)), stanza.body)
    },
  }
}

function opened(key: Buffer, body: Uint8Array): Uint8Array | null {
  const decipher = createDecipheriv(algorithm, key, zeroNonce, { authTagLength: tagBytes })
  decipher.setAuthTag(body.subarray(fileKeyBytes))
  const fileKey = decipher.update(body.subarray(0, fileKeyBytes))
  try {
    decipher.final()
  } catch {
    return null
  }
  return fileKey
}

function deriveKey(passphrase: Secret, salt: Buffer, factor: number): Promise<Buffer> {
  const cost = { N: 2 ** factor, r: 8, p: 1 }
  const maxmem = 128 * cost.r * cost.N + 1024 * 1024
  return new Promise((resolve, reject) => {
    scrypt(
      passphrase.reveal(),
      Buffer.concat([Buffer.from(label), salt]),
      32,
      { ...cost, maxmem },
      (error, key) => {
        if (error === null) resolve(key)
        else reject(error)
      },
    )
  })
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/u, '')
}

function damaged(why: string): HoldfastError {
  return new HoldfastError('integrity.format', `the age header is damaged: ${why}`)
}
