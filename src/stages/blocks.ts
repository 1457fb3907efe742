import { releaseChunk } from '../streams/chunk-pool.js'

/**
 * Gathers chunks into blocks of at least `minimum` bytes, the last excepted; each is given back once it is copied. An empty source
 * gives one empty block.
 * @param whole a chunk of so many bytes is a block as it is, without a copy
 */
export async function* blocks(
  source: AsyncIterable<Buffer>,
  minimum: number,
  whole = minimum,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  let given = false
  for await (const chunk of source) {
    parts.push(chunk)
    bytes += chunk.length
    if (bytes < minimum && (parts.length > 1 || bytes < whole)) continue
    yield joined(parts)
    parts = []
    bytes = 0
    given = true
  }
  if (bytes > 0 || !given) yield joined(parts)
}

function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const block = Buffer.concat(parts)
  for (const part of parts) releaseChunk(part)
  return block
}
