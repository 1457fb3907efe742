import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { releaseChunk } from '../../streams/chunk-pool.js'
import { blocks } from '../blocks.js'
import { InOrder } from '../in-order.js'

/** Input of this length makes a member; its header and its fresh window cost well under a thousandth. */
const memberBytes = 1024 * 1024

const compress = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)

/** Compresses members on the thread pool, one more at once than there are cores. */
export async function* encodeGzip(
  source: AsyncIterable<Buffer>,
  level: number,
  cores: number,
): AsyncGenerator<Buffer> {
  const members = new InOrder({ jobs: cores + 1, cost: Infinity })
  for await (const block of blocks(source, memberBytes)) {
    yield* members.untilRoomFor(block.length)
    members.add(
      compress(block, { level, chunkSize: 256 * 1024 }).finally(() => releaseChunk(block)),
      block.length,
    )
  }
  yield* members.rest()
}
