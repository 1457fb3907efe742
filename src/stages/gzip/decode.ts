import { createGunzip } from 'node:zlib'
import type { Json } from '../../env/json.js'
import { HoldfastError } from '../../errors.js'
import { filtered } from '../filtered.js'
import { ofPlainLength } from '../plain-length.js'

/**
 * Decompresses any sequence of gzip members; zero bytes after the last are padding, as for gunzip.
 * @throws integrity.format, integrity.truncated, integrity.checksum
 */
export async function* decodeGzip(
  source: AsyncIterable<Buffer>,
  facts: Json,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 1024 * 1024 })
  const input = new InputEnd()
  const output = filtered(input.watch(source), { stdin: gunzip, stdout: gunzip }, signal)
  try {
    yield* ofPlainLength(output, facts, 'gzip')
  } catch (error) {
    throw explained(error)
  }
  // Node's gunzip passes over anything that follows a zero byte after the last member.
  if (gunzip.bytesWritten < input.lastNonZero)
    throw new HoldfastError('integrity.format', 'there is something else after the gzip data')
}

/** Where the last byte that is not zero ends. */
class InputEnd {
  lastNonZero = 0
  #bytes = 0

  async *watch(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      let end = chunk.length
      while (end > 0 && chunk[end - 1] === 0) end--
      if (end > 0) this.lastNonZero = this.#bytes + end
      this.#bytes += chunk.length
      yield chunk
    }
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof HoldfastError) return error
  if (error.code === 'Z_BUF_ERROR')
    return new HoldfastError('integrity.truncated', 'the gzip data end too early', { cause: error })
  if (error.message === 'incorrect data check' || error.message === 'incorrect length check')
    return new HoldfastError('integrity.checksum', 'the gzip data do not match their checksum', {
      cause: error,
    })
  if (error.code === 'Z_DATA_ERROR')
    return new HoldfastError('integrity.format', 'these are not gzip data, or they are damaged', {
      cause: error,
    })
  return error
}
