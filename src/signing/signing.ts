import { sign, verify } from 'node:crypto'
import { z } from 'zod'
import type { Json, JsonObject } from '../env/json.js'
import { canonicalJson } from './canonical.js'
import type { PrivateKey, PublicKey } from './keys.js'

/** Stands in a signed document as its field `signature`; it is over the canonical text of all other fields. */
export interface Signature {
  readonly algorithm: 'ed25519'
  /** Which key: the SHA-256 of its DER. */
  readonly key: string
  /** Base64. */
  readonly value: string
}

export const signatureSchema = z.object({
  algorithm: z.literal('ed25519'),
  key: z.string().regex(/^[0-9a-f]{64}$/u),
  value: z.string().max(100),
}) satisfies z.ZodType<Signature>

/** `unchecked`: no key is known here. `foreign`: signed by a key that is not among the known ones. */
export type SignatureState = 'none' | 'unchecked' | 'valid' | 'invalid' | 'foreign'

/** Signs JSON documents and checks them: manifests, records, reports. */
export class Signing {
  readonly #key: PrivateKey | undefined
  readonly #known: ReadonlyMap<string, PublicKey>

  /** @param key absent where this machine only checks */
  constructor(key: PrivateKey | undefined, known: readonly PublicKey[] = []) {
    this.#key = key
    this.#known = new Map([...known, ...(key === undefined ? [] : [key])].map((each) => [each.id, each]))
  }

  /** The id of the key that signs; absent where this machine only checks. */
  get keyId(): string | undefined {
    return this.#key?.id
  }

  get checks(): boolean {
    return this.#known.size > 0
  }

  /** The document with its signature, or `undefined` where this machine only checks. */
  sign<Document extends object>(
    document: Document,
  ): (Document & { readonly signature: Signature }) | undefined {
    if (this.#key === undefined) return undefined
    const value = sign(null, signedBytes(document as JsonObject), this.#key.secret).toString('base64')
    return { ...document, signature: { algorithm: 'ed25519', key: this.#key.id, value } }
  }

  /** @param document as it was parsed, with every field that it has */
  check(document: unknown): SignatureState {
    if (typeof document !== 'object' || document === null || !('signature' in document)) return 'none'
    if (!this.checks) return 'unchecked'
    const signature = signatureSchema.safeParse(document.signature)
    if (!signature.success) return 'invalid'
    const key = this.#known.get(signature.data.key)
    if (key === undefined) return 'foreign'
    const bytes = signedBytes(document as unknown as JsonObject)
    return verify(null, bytes, key.object, Buffer.from(signature.data.value, 'base64')) ? 'valid' : 'invalid'
  }
}

/** For machines that know no key. */
export const noSigning = new Signing(undefined)

/** What a signature is over: the canonical text of the document without its field `signature`, in UTF-8. */
export function signedBytes(document: JsonObject): Buffer {
  const { signature: _, ...signed } = document as Readonly<Record<string, Json>>
  return Buffer.from(canonicalJson(signed), 'utf8')
}
