import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readVariable } from '../config/variable.js'
import type { Env } from '../env/env.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import type { KeyRing } from '../stages/stage.js'
import { texts, text } from './flags.js'

/** The flags of commands that may have to decrypt. Keys themselves are never flags: other users see a program's arguments. */
export interface KeyFlags {
  readonly identity?: readonly string[]
  readonly passphraseFile?: string
}

export const keyFlags = {
  identity: texts('FILE', 'file with a private key, age or OpenPGP; may be repeated'),
  passphraseFile: text('FILE', 'file with the passphrase'),
} as const

/**
 * Keys from the flags, then from `HOLDFAST_IDENTITY` and `HOLDFAST_PASSPHRASE` (or the same with `_FILE`), then from a prompt.
 * @param ask asks for the passphrase; gives `undefined` where nobody is there to answer
 */
export function keyRing(env: Env, flags: KeyFlags, ask: () => Promise<Secret | undefined>): KeyRing {
  let asked: Promise<Secret | undefined> | undefined
  return {
    async identities() {
      const files = (flags.identity ?? []).map(async (file) => ({
        source: file,
        text: await readKeyFile(env, file, '--identity'),
      }))
      const variable = readVariable(env.variables, 'HOLDFAST_IDENTITY')
      const ofVariable = variable && { source: variable.origin, text: new Secret(variable.value) }
      return [...(await Promise.all(files)), ...(ofVariable === undefined ? [] : [ofVariable])]
    },
    async passphrase() {
      if (flags.passphraseFile !== undefined) {
        const content = await readKeyFile(env, flags.passphraseFile, '--passphrase-file')
        return new Secret(content.reveal().replace(/\r?\n$/u, ''))
      }
      const variable = readVariable(env.variables, 'HOLDFAST_PASSPHRASE')
      if (variable !== undefined) return new Secret(variable.value)
      asked ??= ask()
      return asked
    },
  }
}

async function readKeyFile(env: Env, file: string, flag: string): Promise<Secret> {
  try {
    return new Secret(await readFile(resolve(env.workingDirectory, file), 'utf8'))
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new HoldfastError('key.invalid', `${flag} ${file} cannot be read (${code})`, {
      cause: error,
      hint: 'correct the path',
    })
  }
}
