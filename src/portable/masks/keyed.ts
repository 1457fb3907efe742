import { createHmac } from 'node:crypto'
import type { Secret } from '../../env/secret.js'

/** The only source of what masks put in place of a value: HMAC-SHA-256 of domain and value. Equal values of a domain give equal bytes. */
export class Keyed {
  readonly domain: string
  readonly #key: Secret

  /** @param domain `users.email`: the column that a foreign key leads to in the end */
  constructor(key: Secret, domain: string) {
    this.#key = key
    this.domain = domain
  }

  /** @param purpose keeps the uses of one value apart */
  digest(purpose: string, value: string): Buffer {
    return createHmac('sha256', this.#key.reveal())
      .update(JSON.stringify([this.domain, purpose, value]))
      .digest()
  }

  /** As many bytes as are asked for. */
  bytes(purpose: string, value: string, length: number): Buffer {
    const blocks: Buffer[] = []
    for (let have = 0; have < length; have += 32)
      blocks.push(this.digest(`${purpose} ${blocks.length}`, value))
    return Buffer.concat(blocks).subarray(0, length)
  }

  /** A number below `limit`, each as likely as the others but for 1 in 2^64. */
  below(purpose: string, value: string, limit: bigint): bigint {
    const bits = limit.toString(2).length
    const bytes = this.bytes(purpose, value, Math.ceil(bits / 8) + 8)
    return BigInt(`0x${bytes.toString('hex')}`) % limit
  }
}
