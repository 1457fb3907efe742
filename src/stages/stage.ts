import type { Duplex } from 'node:stream'
import type { Context } from '../env/context.js'
import type { Json } from '../env/json.js'
import type { Secret } from '../env/secret.js'

/**
 * A reversible transform of a byte stream, such as a compression or an encryption. Its output is what the well-known tool of
 * the same name reads, so that a backup can be opened without Holdfast.
 */
export interface Stage {
  /** Written in manifests; never renamed. */
  readonly id: string
  /** The memory that each of the jobs takes which `encode` has under way at once, in bytes. Default: not worth counting. */
  readonly jobBytes?: number
  /** Heeds `cx.memory`. */
  encode(cx: Context): EncodingStage
  /**
   * @param facts what `encode` wrote into the manifest; `{}` for a file that was made elsewhere
   * @returns a stream that ends cleanly only when the input was complete and authentic
   * @throws (as the stream's error) integrity.truncated, integrity.format, integrity.wrong-key, key.missing
   */
  decode(cx: Context, facts: Json): Duplex
}

export interface EncodingStage {
  readonly through: Duplex
  /** What `decode` must know beside the key; asked for after the stream has ended. */
  facts(): Json
}

/** A kind of stage, known by its id and by the first bytes of its output. */
export interface StageKind<Settings = unknown> {
  readonly id: string
  readonly role: 'compress' | 'encrypt'
  /** The ending of a file name, with its dot: `.zst`. */
  readonly extension: string
  /** Whether data that begin so are this stage's output; at least 64 bytes are given where there are as many. */
  recognises(head: Uint8Array): boolean
  /**
   * @param settings what the configuration says, checked here; `undefined` where the stage is only to decode
   * @throws config.invalid, key.invalid
   */
  create(settings: Settings | undefined, keys: KeyRing): Stage
}

/** A private key, or several, as a file of `age-keygen` or of OpenPGP has them. */
export interface Identity {
  /** Where it is from, for messages: `key.txt`, `environment HOLDFAST_IDENTITY`. */
  readonly source: string
  readonly text: Secret
}

/** Where decoding finds its keys. Asked only when a key is needed; may prompt. */
export interface KeyRing {
  /** Age identities and armored OpenPGP private keys, in the order to try them. */
  identities(): Promise<readonly Identity[]>
  passphrase(): Promise<Secret | undefined>
  /** What is to be opened, for messages: the name of an artifact. */
  readonly subject?: string
}
