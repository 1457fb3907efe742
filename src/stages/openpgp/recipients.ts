import { readFile } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import type { Key } from 'openpgp'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'

/** A recipient of the settings, as what it turned out to be. */
export type Recipient =
  | { readonly kind: 'key'; readonly keys: readonly Key[] }
  | { readonly kind: 'keyring'; readonly name: string }

const armorBegin = '-----BEGIN PGP PUBLIC KEY BLOCK-----'

/** @throws key.invalid */
export async function resolveRecipient(cx: Context, recipient: string): Promise<Recipient> {
  if (recipient.includes(armorBegin))
    return { kind: 'key', keys: await readKeys(recipient, 'the armored key') }
  const path = isAbsolute(recipient) ? recipient : resolve(cx.env.workingDirectory, recipient)
  const content = await fileContent(path)
  if (content !== undefined)
    return { kind: 'key', keys: await readKeys(content, `the key file ${recipient}`) }
  if (/[/\\]|\.(?:asc|gpg|pgp|key)$/u.test(recipient))
    throw new HoldfastError('key.invalid', `the key file ${recipient} does not exist`)
  return { kind: 'keyring', name: recipient }
}

async function fileContent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A key id or an e-mail address is no file.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENAMETOOLONG')
      return undefined
    throw new HoldfastError('key.invalid', `the key file ${path} cannot be read`, { cause: error })
  }
}

/** The public keys in a text or a file, each of which must be one that can be encrypted to today. */
async function readKeys(content: string | Buffer, what: string): Promise<readonly Key[]> {
  const library = await import('openpgp')
  const text = content.toString('latin1')
  if (text.includes('-----BEGIN PGP PRIVATE KEY BLOCK-----'))
    throw new HoldfastError('key.invalid', `${what} is a private key`, {
      hint: 'give its public half instead: gpg --export --armor NAME prints it',
    })
  try {
    const keys = text.includes(armorBegin)
      ? await library.readKeys({ armoredKeys: text })
      : await library.readKeys({ binaryKeys: Buffer.from(content) })
    if (keys.some((key) => key.isPrivate())) throw new Error('it is a private key')
    if (keys.length === 0) throw new Error('it holds no key')
    // Refuses a key that is expired, revoked or only for signing.
    for (const key of keys) await key.getEncryptionKey()
    return keys
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new HoldfastError('key.invalid', `${what} cannot be encrypted to: ${why}`, { cause: error })
  }
}
