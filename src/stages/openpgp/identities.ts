import type { KeyID, PrivateKey } from 'openpgp'
import type { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import type { Identity, KeyRing } from '../stage.js'

/** The key id that stands for "try all your keys" (gpg --throw-keyids). */
const hiddenRecipient = '0000000000000000'
const armorBegin = '-----BEGIN PGP PRIVATE KEY BLOCK-----'

/** The OpenPGP private keys of the ring, still locked. @throws key.invalid */
export async function privateKeys(keys: KeyRing): Promise<readonly PrivateKey[]> {
  const found: PrivateKey[] = []
  for (const identity of await keys.identities()) {
    const text = identity.text.reveal()
    if (text.includes(armorBegin)) found.push(...(await readKeys(identity)))
    // The ring holds the keys of all stages.
    else if (!/^AGE-SECRET-KEY-/mu.test(text))
      throw new HoldfastError('key.invalid', `${identity.source} holds no openpgp private key`)
  }
  return found
}

async function readKeys({ source, text }: Identity): Promise<readonly PrivateKey[]> {
  const library = await import('openpgp')
  try {
    return await library.readPrivateKeys({ armoredKeys: text.reveal() })
  } catch (error) {
    throw new HoldfastError('key.invalid', `${source} is not an openpgp private key`, {
      cause: error,
    })
  }
}

/**
 * Those of the keys that a message was made for, unlocked.
 * @throws integrity.wrong-key where there is none, or the passphrase does not unlock it; key.missing without a passphrase
 */
export async function matchingKeys(
  keys: readonly PrivateKey[],
  messageIds: readonly KeyID[],
  ring: KeyRing,
): Promise<PrivateKey[]> {
  const hidden = hasHiddenRecipient(messageIds)
  const matching = keys.filter((key) => hidden || messageIds.some((id) => key.getKeys(id).length > 0))
  if (matching.length === 0) throw wrongKey(ring)
  const locked = matching.some((key) => !key.isDecrypted())
  const passphrase = locked ? await ring.passphrase() : undefined
  if (locked && passphrase === undefined)
    throw new HoldfastError(
      'key.missing',
      `the private key of ${subjectOf(ring)} is locked, and its passphrase is needed`,
      { hint: 'pass --passphrase-file FILE, or set HOLDFAST_PASSPHRASE_FILE' },
    )
  return Promise.all(matching.map((key) => unlocked(key, passphrase)))
}

/** Whether one can only try whether a key opens the message. */
export function hasHiddenRecipient(messageIds: readonly KeyID[]): boolean {
  return messageIds.some((id) => id.toHex() === hiddenRecipient)
}

export function wrongKey(ring: KeyRing, cause?: unknown): HoldfastError {
  return new HoldfastError('integrity.wrong-key', `none of the private keys opens ${subjectOf(ring)}`, {
    cause,
  })
}

export function subjectOf({ subject = 'this openpgp file' }: KeyRing): string {
  return subject
}

async function unlocked(privateKey: PrivateKey, passphrase: Secret | undefined): Promise<PrivateKey> {
  if (passphrase === undefined || privateKey.isDecrypted()) return privateKey
  const library = await import('openpgp')
  try {
    return await library.decryptKey({ privateKey, passphrase: passphrase.reveal() })
  } catch (error) {
    throw new HoldfastError('integrity.wrong-key', 'the passphrase does not unlock the openpgp private key', {
      cause: error,
    })
  }
}
