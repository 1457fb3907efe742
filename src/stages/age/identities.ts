import type { Decrypter } from 'age-encryption'
import type { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import type { Identity, KeyRing } from '../stage.js'
import { scryptIdentity } from './passphrase.js'

/**
 * The file key of a header, by the passphrase or the identities of the ring, whichever it was made for.
 * @throws key.missing, key.invalid, integrity.wrong-key, integrity.format
 */
export async function unlock(header: Buffer, keys: KeyRing): Promise<Uint8Array> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  const byPassphrase = /^-> scrypt /mu.test(header.toString('latin1'))
  if (byPassphrase) decrypter.addIdentity(scryptIdentity(await passphrase(keys)))
  else if (addIdentities(decrypter, await keys.identities()) === 0) {
    throw new HoldfastError('key.missing', `${subjectOf(keys)} is encrypted, and its private key is needed`, {
      hint: 'pass --identity FILE with the private key, or set HOLDFAST_IDENTITY_FILE',
    })
  }
  // Asked last, when no other has opened the header.
  decrypter.addIdentity({
    unwrapFileKey() {
      throw new HoldfastError(
        'integrity.wrong-key',
        byPassphrase
          ? `the passphrase does not open ${subjectOf(keys)}`
          : `none of the private keys opens ${subjectOf(keys)}`,
      )
    },
  })
  try {
    return await decrypter.decryptHeader(header)
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError('integrity.format', 'the age header is damaged', { cause: error })
  }
}

async function passphrase(keys: KeyRing): Promise<Secret> {
  const secret = await keys.passphrase()
  if (secret === undefined) {
    throw new HoldfastError('key.missing', `${subjectOf(keys)} is encrypted, and its passphrase is needed`, {
      hint: 'pass --passphrase-file FILE, or set HOLDFAST_PASSPHRASE_FILE',
    })
  }
  return secret
}

function subjectOf({ subject = 'this age file' }: KeyRing): string {
  return subject
}

/** Each line of the texts that is not empty or a comment is an identity. @returns how many there are */
function addIdentities(decrypter: Decrypter, identities: readonly Identity[]): number {
  let added = 0
  for (const { source, text } of identities) {
    // The ring holds the keys of all stages.
    if (text.reveal().includes('-----BEGIN PGP PRIVATE KEY BLOCK-----')) continue
    const before = added
    for (const [number, line] of text.reveal().split(/\r?\n/u).entries()) {
      const identity = line.trim()
      if (identity === '' || identity.startsWith('#')) continue
      try {
        decrypter.addIdentity(identity)
      } catch {
        // The library's error could hold a part of the identity.
        throw new HoldfastError('key.invalid', `line ${number + 1} of ${source} is not an age identity`)
      }
      added++
    }
    if (added === before) throw new HoldfastError('key.invalid', `${source} holds no age identity`)
  }
  return added
}
