import { HoldfastError } from '../../errors.js'
import { PlainLength } from '../plain-length.js'
import type { StageKind } from '../stage.js'
import { transforming } from '../transforming.js'
import { decodeOpenpgp } from './decode.js'
import { encodeOpenpgp } from './encode.js'
import { startsAsMessage } from './packets.js'

export interface OpenpgpSettings {
  /**
   * For whom: armored public keys, paths of key files (relative to the working directory), or key ids, fingerprints and
   * e-mail addresses, which the gpg program looks up in the user's keyring, never on the network.
   */
  readonly recipients: readonly string[]
  /** Encrypt to keys of the keyring that gpg has no reason to trust. Keys that are given themselves are always trusted. */
  readonly alwaysTrust?: boolean
}

/**
 * OpenPGP (RFC 9580), written so that gpg reads it: encrypted with a modification detection code, not compressed, not
 * signed. That code comes last, so bytes are given out before the whole is known to be authentic, as gpg does; the stream
 * then ends with an error. Who must not see them before checks the digest of the stored bytes first.
 */
export const openpgp: StageKind<OpenpgpSettings> = {
  id: 'openpgp',
  role: 'encrypt',
  extension: '.gpg',
  recognises: startsAsMessage,
  create(settings, keys) {
    if (settings !== undefined) check(settings)
    return {
      id: openpgp.id,
      encode(cx) {
        if (settings === undefined) throw new HoldfastError('config.invalid', 'openpgp needs recipients')
        const length = new PlainLength()
        const through = transforming((source, signal) =>
          encodeOpenpgp({ ...cx, signal }, length.count(source), settings),
        )
        return { through, facts: () => length.facts() }
      },
      decode: (cx, facts) =>
        transforming((source, signal) => decodeOpenpgp({ ...cx, signal }, source, facts, keys)),
    }
  },
}

function check(settings: OpenpgpSettings): void {
  if (settings.recipients.length === 0)
    throw new HoldfastError('config.invalid', 'openpgp needs at least one recipient')
  for (const [index, recipient] of settings.recipients.entries()) {
    if (recipient.trim() === '')
      throw new HoldfastError('key.invalid', `openpgp recipient ${index + 1} is empty`)
    if (recipient.includes('-----BEGIN PGP PRIVATE KEY BLOCK-----'))
      throw new HoldfastError('key.invalid', `openpgp recipient ${index + 1} is a private key`, {
        hint: 'give its public half instead: gpg --export --armor NAME prints it',
      })
  }
}
