import type { Key } from 'openpgp'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { filterTool } from '../../process/run.js'
import { filtered } from '../filtered.js'

/*
 * The gpg program, for keys of the user's own keyring. What it did is read from its status lines (doc/DETAILS in GnuPG's
 * sources), not from its messages, which are translated, nor from its exit status alone: it ends with 0 when the data stop
 * within the header.
 */

const program = 'gpg'
const always = ['--batch', '--status-fd', '2']
const statusPrefix = '[GNUPG:] '
/** The reason of an INV_RECP line for a key that is there but not trusted. */
const notTrusted = '10'

export interface GpgRecipients {
  readonly names: readonly string[]
  readonly keys: readonly Key[]
  readonly alwaysTrust: boolean
}

/** @throws key.invalid, tool.missing, tool.failed */
export async function* encryptingGpg(
  cx: Context,
  source: AsyncIterable<Buffer>,
  recipients: GpgRecipients,
): AsyncGenerator<Buffer> {
  const folder = await cx.env.temporaryDirectory()
  try {
    const files = await Promise.all(
      recipients.keys.map((key, index) => folder.writeFile(`recipient-${index}.asc`, key.armor())),
    )
    const args = [
      ...always,
      '--no-armor',
      // Keys come from the keyring only, never from a server.
      '--no-auto-key-locate',
      '--compress-algo=none',
      ...(recipients.alwaysTrust ? ['--trust-model=always'] : []),
      ...recipients.names.map((name) => `--recipient=${name}`),
      ...files.map((file) => `--recipient-file=${file}`),
      '--encrypt',
    ]
    yield* filtered(source, filterTool(cx, { program, args }), cx.signal)
  } catch (error) {
    throw encryptionFault(error)
  } finally {
    await folder.remove()
  }
}

/** @throws key.missing, integrity.wrong-key, integrity.format, integrity.checksum, tool.missing, tool.failed */
export async function* decryptingGpg(
  cx: Context,
  source: AsyncIterable<Buffer>,
  subject: string,
): AsyncGenerator<Buffer> {
  const tool = filterTool(cx, { program, args: [...always, '--decrypt'] })
  try {
    yield* filtered(source, tool, cx.signal)
    const { messages } = await tool.finished
    if (!statusWords(messages).has('DECRYPTION_OKAY')) throw decryptionFault(subject, messages, undefined)
  } catch (error) {
    throw toolFailure(error) ? decryptionFault(subject, messagesOf(error), error) : explainedMissing(error)
  }
}

function encryptionFault(error: unknown): unknown {
  if (!toolFailure(error)) return explainedMissing(error)
  const refused = statusLines(messagesOf(error)).find((line) => line.startsWith('INV_RECP '))
  if (refused === undefined) return error
  const [, reason, ...name] = refused.split(' ')
  return reason === notTrusted
    ? new HoldfastError('key.invalid', `gpg does not trust the key of ${name.join(' ')}`, {
        cause: error,
        hint: 'sign the key in gpg, or set alwaysTrust',
      })
    : new HoldfastError('key.invalid', `gpg has no usable public key for ${name.join(' ')}`, { cause: error })
}

function decryptionFault(subject: string, messages: readonly string[], cause: unknown): HoldfastError {
  const words = statusWords(messages)
  const because = { cause, details: { program, messages } }
  if (words.has('DECRYPTION_KEY') || words.has('BADMDC'))
    return new HoldfastError('integrity.checksum', 'the openpgp data are not what was written', because)
  if (words.has('NO_SECKEY'))
    return new HoldfastError(
      'key.missing',
      `${subject} is encrypted, and the gpg keyring has no private key for it`,
      {
        ...because,
        hint: 'pass --identity FILE with the private key, set HOLDFAST_IDENTITY_FILE, or import it into gpg',
      },
    )
  if (words.has('DECRYPTION_FAILED'))
    return new HoldfastError(
      'integrity.wrong-key',
      `gpg could not open ${subject} with its private key`,
      because,
    )
  return new HoldfastError('integrity.format', 'these are not openpgp data, or they are damaged', because)
}

function explainedMissing(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'tool.missing') return error
  return new HoldfastError(
    'tool.missing',
    'keys of the gpg keyring need the gpg program, which is not installed',
    {
      cause: error,
      hint: 'install gnupg, or give armored keys',
      details: error.details,
    },
  )
}

function toolFailure(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code === 'tool.failed'
}

function messagesOf(error: HoldfastError): readonly string[] {
  const { messages } = error.details
  return Array.isArray(messages) ? messages.filter((line) => typeof line === 'string') : []
}

function statusLines(messages: readonly string[]): readonly string[] {
  return messages
    .filter((line) => line.startsWith(statusPrefix))
    .map((line) => line.slice(statusPrefix.length))
}

function statusWords(messages: readonly string[]): ReadonlySet<string | undefined> {
  return new Set(statusLines(messages).map((line) => line.split(' ')[0]))
}
