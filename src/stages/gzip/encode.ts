import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { releaseChunk } from '../../streams/chunk-pool.js'
import { blocks } from '../blocks.js'
import { InOrder } from '../in-order.js'

/** Input of this length makes a member; its header and its fresh window cost well under a thousandth. */
const memberBytes = 1024 * 1024

const compress = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)

/** What a member on its way takes: its bytes before and after, and zlib's own. */
export const jobBytes = 3 * 1024 * 1024

/** Compresses members on the thread pool. */
export async function* encodeGzip(
  source: AsyncIterable<Buffer>,
  level: number,
  jobs: number,
): AsyncGenerator<Buffer> {
  const members = new InOrder({ jobs, cost: Infinity })
  for await (const block of blocks(source, memberBytes)) {
    yield* members.untilRoomFor(block.length)
    members.add(
      compress(block, { level, chunkSize: 256 * 1024 }).finally(() => releaseChunk(block)),
      block.length,
    )
  }
  yield* members.rest()
}
