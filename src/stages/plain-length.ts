import type { Json } from '../env/json.js'
import { HoldfastError } from '../errors.js'

/**
 * The facts every built-in stage writes: how many bytes went in. Several formats are files one after another, which look
 * whole when they are cut between two; the length tells.
 */
export class PlainLength {
  #bytes = 0

  async *count(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.#bytes += chunk.length
      yield chunk
    }
  }

  facts(): Json {
    return { bytes: this.#bytes }
  }
}

/** What {@link PlainLength} wrote, or `undefined` for a file that was made elsewhere. @throws integrity.manifest */
export function plainLength(facts: Json): number | undefined {
  if (typeof facts !== 'object' || facts === null || !('bytes' in facts)) return undefined
  const { bytes } = facts
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0) return bytes
  throw new HoldfastError('integrity.manifest', 'the manifest has a length that is not a number')
}

/**
 * Passes decoded data on and compares their length with the facts.
 * @throws integrity.truncated, integrity.format, integrity.manifest
 */
export async function* ofPlainLength(
  output: AsyncIterable<Buffer>,
  facts: Json,
  format: string,
): AsyncGenerator<Buffer> {
  const expected = plainLength(facts)
  let bytes = 0
  for await (const chunk of output) {
    bytes += chunk.length
    if (expected !== undefined && bytes > expected)
      throw new HoldfastError('integrity.format', `the ${format} data hold more than ${expected} bytes`)
    yield chunk
  }
  if (expected !== undefined && bytes < expected)
    throw new HoldfastError('integrity.truncated', `the ${format} data hold ${bytes} of ${expected} bytes`)
}
