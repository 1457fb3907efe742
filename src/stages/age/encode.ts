import type { Env } from '../../env/env.js'
import { HoldfastError } from '../../errors.js'
import { scryptRecipient } from './passphrase.js'
import { nonceBytes, payloadKey, sealPayload, tagBytes } from './payload.js'
import type { AgeSettings } from './stage.js'

/** Encrypts to the recipients or the passphrase. @throws key.invalid */
export async function* encodeAge(
  env: Env,
  source: AsyncIterable<Buffer>,
  lock: AgeSettings,
): AsyncGenerator<Buffer> {
  const { header, fileKey } = await makeHeader(env, lock)
  const nonce = env.randomBytes(nonceBytes)
  yield Buffer.concat([header, nonce])
  yield* sealPayload(payloadKey(fileKey, nonce), source)
}

/** A new file key, and the header that holds it for each recipient. */
async function makeHeader(
  env: Env,
  lock: AgeSettings,
): Promise<{ readonly header: Uint8Array; readonly fileKey: Uint8Array }> {
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  if (lock.passphrase !== undefined) encrypter.addRecipient(await scryptRecipient(env, lock.passphrase))
  for (const recipient of lock.recipients ?? []) {
    try {
      encrypter.addRecipient(recipient)
    } catch (error) {
      throw new HoldfastError('key.invalid', `${recipient} is not a valid age recipient`, { cause: error })
    }
  }
  let fileKey: Uint8Array | undefined
  // The library has no call for a header alone. A recipient that adds nothing to the header learns the file key.
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = key
      return []
    },
  })
  const file = await encrypter.encrypt(new Uint8Array(0))
  if (fileKey === undefined) throw new TypeError('age-encryption did not wrap a file key')
  // An empty file is its header, a nonce, and the tag of one empty chunk.
  return { header: file.subarray(0, file.length - nonceBytes - tagBytes), fileKey }
}
