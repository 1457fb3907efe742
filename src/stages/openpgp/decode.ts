import { ReadableStream } from 'node:stream/web'
import type { PrivateKey, SessionKey } from 'openpgp'
import type { Context } from '../../env/context.js'
import type { Json } from '../../env/json.js'
import { HoldfastError } from '../../errors.js'
import { ByteReader } from '../byte-reader.js'
import { ofPlainLength } from '../plain-length.js'
import type { KeyRing } from '../stage.js'
import { decryptingGpg } from './gpg.js'
import { hasHiddenRecipient, matchingKeys, privateKeys, subjectOf, wrongKey } from './identities.js'
import { isArmored, startsAsMessage, walkOf, type Walk } from './packets.js'

/**
 * Decrypts with the private keys of the ring, or with the gpg program and its keyring where the ring has none.
 * @throws integrity.format, integrity.truncated, integrity.checksum, integrity.wrong-key, key.missing, key.invalid,
 * tool.missing
 */
export async function* decodeOpenpgp(
  cx: Context,
  source: AsyncIterable<Buffer>,
  facts: Json,
  ring: KeyRing,
): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source, 'openpgp')
  const head = await reader.peek(64)
  const input = new WatchedInput(walkOf(head))
  if (head.length === 64 && !startsAsMessage(head))
    throw new HoldfastError('integrity.format', 'these are not encrypted openpgp data')
  try {
    const keys = await privateKeys(ring)
    const data = input.watch(reader.rest())
    const output =
      keys.length === 0
        ? decryptingGpg(cx, data, subjectOf(ring))
        : decrypted(data, isArmored(head), keys, ring)
    yield* ofPlainLength(output, facts, 'openpgp')
  } catch (error) {
    throw input.cut && saysDamaged(error)
      ? new HoldfastError('integrity.truncated', 'the openpgp data end too early', { cause: error })
      : error
  }
  if (input.cut) throw new HoldfastError('integrity.truncated', 'the openpgp data end too early')
}

/** Follows the data to tell a message that was cut from one that was changed. */
class WatchedInput {
  readonly #walk: Walk
  #ended = false

  constructor(walk: Walk) {
    this.#walk = walk
  }

  async *watch(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.#walk.see(chunk)
      yield chunk
    }
    this.#ended = true
  }

  get cut(): boolean {
    return this.#ended && !this.#walk.whole()
  }
}

async function* decrypted(
  data: AsyncIterable<Buffer>,
  armored: boolean,
  keys: readonly PrivateKey[],
  ring: KeyRing,
): AsyncGenerator<Buffer> {
  try {
    const { decrypt, decryptSessionKeys, readMessage } = await import('openpgp')
    const message = armored
      ? await readMessage({ armoredMessage: ReadableStream.from(texts(data)) })
      : await readMessage({ binaryMessage: ReadableStream.from<Uint8Array>(data) })
    const ids = message.getEncryptionKeyIDs()
    const decryptionKeys = await matchingKeys(keys, ids, ring)
    const sessionKeys = await decryptSessionKeys({ message, decryptionKeys }).catch((error: unknown) => {
      throw hasHiddenRecipient(ids) ? wrongKey(ring, error) : error
    })
    // What a message encrypted in one piece gives out before its end is not authenticated yet: see the stage.
    const config = { allowUnauthenticatedStream: true }
    const output = await decrypt({
      message,
      sessionKeys: sessionKeys as SessionKey[],
      format: 'binary',
      config,
    })
    const plain = output.data as unknown as AsyncIterable<Uint8Array>
    for await (const chunk of plain) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  } catch (error) {
    throw damage(error)
  }
}

async function* texts(data: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const chunk of data) yield chunk.toString('latin1')
}

/** The library has one class of errors; only its words for a failed authentication are told apart. */
function damage(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const text = error instanceof Error ? error.message : String(error)
  return /modification|authenticat/iu.test(text)
    ? new HoldfastError('integrity.checksum', 'the openpgp data are not what was written', { cause: error })
    : new HoldfastError('integrity.format', `the openpgp data are damaged: ${text}`, { cause: error })
}

function saysDamaged(error: unknown): boolean {
  return (
    error instanceof HoldfastError &&
    (error.code === 'integrity.format' || error.code === 'integrity.checksum')
  )
}
