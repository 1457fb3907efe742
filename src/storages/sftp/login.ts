import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import type { Context } from '../../env/context.js'
import type { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import { isMissing, storageError } from '../local/errors.js'
import type { SftpSettings } from './settings.js'

/** How a user proves who they are, in the order in which it is tried; `label` is for errors. */
export interface LoginMethod {
  readonly label: string
  readonly method: AnyAuthMethod
}

const defaultKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa']

/** @throws config.invalid where nothing says who the user is */
export function userOf(cx: Context, { user, host }: SftpSettings): string {
  const { USER, LOGNAME, USERNAME } = cx.env.variables
  const name = [user, USER, LOGNAME, USERNAME].find((each) => each !== undefined && each !== '')
  if (name !== undefined) return name
  throw new HoldfastError('config.invalid', `the storage on ${host} has no user, and USER is not set`)
}

/**
 * What the settings give; where they give nothing, the agent and the keys in `~/.ssh` that need no passphrase, as `ssh` would.
 * @throws key.invalid, storage.not-found and storage.denied for a key file
 */
export async function loginMethods(
  cx: Context,
  settings: SftpSettings,
  username: string,
): Promise<readonly LoginMethod[]> {
  const { password, privateKey, privateKeyFile, passphrase, agent } = settings
  const methods: LoginMethod[] = []
  if (privateKey !== undefined)
    methods.push(await keyMethod(username, 'privateKey', privateKey.reveal(), passphrase))
  if (privateKeyFile !== undefined)
    methods.push(await keyMethod(username, privateKeyFile, await readKey(privateKeyFile), passphrase))
  const nothingGiven = methods.length === 0 && password === undefined
  const socket = agent ?? (nothingGiven ? cx.env.variables['SSH_AUTH_SOCK'] : false)
  if (typeof socket === 'string' && socket !== '')
    methods.push({ label: 'the agent', method: { type: 'agent', username, agent: socket } })
  if (password !== undefined) methods.push(...passwordMethods(username, password))
  if (nothingGiven && agent === undefined) methods.push(...(await homeKeys(cx, username)))
  return methods
}

async function readKey(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw storageError(error, `cannot read the key file ${file}`)
  })
}

async function keyMethod(
  username: string,
  label: string,
  text: string,
  passphrase: Secret | undefined,
): Promise<LoginMethod> {
  const key = await parsedKey(text, passphrase)
  if (!(key instanceof Error)) return { label, method: { type: 'publickey', username, key } }
  throw new HoldfastError('key.invalid', `the key ${label} cannot be read: ${faultOf(key, passphrase)}`, {
    cause: key,
    hint: 'it has to be a private key in the format of OpenSSH or in PEM; where it has a passphrase, set passphrase',
  })
}

function faultOf(error: Error, passphrase: Secret | undefined): string {
  if (/no passphrase/iu.test(error.message)) return 'it needs a passphrase'
  return passphrase === undefined
    ? error.message.toLowerCase()
    : `is the passphrase right? ${error.message.toLowerCase()}`
}

async function parsedKey(text: string, passphrase?: Secret): Promise<ParsedKey | Error> {
  const { utils } = (await import('ssh2')).default
  const parsed = utils.parseKey(text, passphrase?.reveal())
  if (parsed instanceof Error) return parsed
  // A file may hold several.
  const [key] = [parsed as ParsedKey | ParsedKey[]].flat()
  if (key?.isPrivateKey() === true) return key
  return new Error('it is a public key')
}

/** Some servers ask for the password as a question. */
function passwordMethods(username: string, password: Secret): LoginMethod[] {
  return [
    { label: 'the password', method: { type: 'password', username, password: password.reveal() } },
    {
      label: 'the password as an answer',
      method: {
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _language, prompts, answer) =>
          answer(prompts.map(() => password.reveal())),
      },
    },
  ]
}

async function homeKeys(cx: Context, username: string): Promise<LoginMethod[]> {
  const methods: LoginMethod[] = []
  for (const name of defaultKeys) {
    const file = join(cx.env.homeDirectory, '.ssh', name)
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw storageError(error, `cannot read the key file ${file}`)
    })
    const key = text === undefined ? undefined : await parsedKey(text)
    // One that needs a passphrase is for the agent.
    if (key !== undefined && !(key instanceof Error))
      methods.push({ label: file, method: { type: 'publickey', username, key } })
  }
  return methods
}
