import { ReadableStream } from 'node:stream/web'
import type { Key } from 'openpgp'
import type { Context } from '../../env/context.js'
import { encryptingGpg } from './gpg.js'
import { resolveRecipient } from './recipients.js'
import type { OpenpgpSettings } from './stage.js'

/**
 * Encrypts to every recipient: with the library, or with the gpg program when one of them is in the user's keyring.
 * @throws key.invalid, tool.missing
 */
export async function* encodeOpenpgp(
  cx: Context,
  source: AsyncIterable<Buffer>,
  settings: OpenpgpSettings,
): AsyncGenerator<Buffer> {
  const recipients = await Promise.all(settings.recipients.map((text) => resolveRecipient(cx, text)))
  const keys = recipients.flatMap((recipient) => (recipient.kind === 'key' ? recipient.keys : []))
  const names = recipients.flatMap((recipient) => (recipient.kind === 'keyring' ? [recipient.name] : []))
  yield* names.length === 0
    ? encrypted(source, keys)
    : encryptingGpg(cx, source, { names, keys, alwaysTrust: settings.alwaysTrust ?? false })
}

async function* encrypted(source: AsyncIterable<Buffer>, keys: Key[]): AsyncGenerator<Buffer> {
  const { createMessage, encrypt } = await import('openpgp')
  const message = await createMessage({ binary: ReadableStream.from<Uint8Array>(source) })
  const output: unknown = await encrypt({ message, encryptionKeys: keys, format: 'binary' })
  for await (const chunk of output as AsyncIterable<Uint8Array>) yield asBuffer(chunk)
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
