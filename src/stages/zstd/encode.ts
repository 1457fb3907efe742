import { releaseChunk } from '../../streams/chunk-pool.js'
import { blocks } from '../blocks.js'
import { InOrder } from '../in-order.js'

/**
 * Input of this length makes a frame. Rows repeat within some megabytes: frames of 1 MiB were 3 to 9 % larger in sum. What
 * comes in chunks of this length is not copied.
 */
const frameBytes = 4 * 1024 * 1024
/** The threads of the pool, unless UV_THREADPOOL_SIZE says otherwise: more jobs at once would only take memory. */
const poolThreads = 4

/** Compresses frames on the thread pool, one more at once than can run. */
export async function* encodeZstd(
  source: AsyncIterable<Buffer>,
  level: number,
  cores: number,
): AsyncGenerator<Buffer> {
  const { compress } = await import('zstd-native/bindings.js')
  const frames = new InOrder({ jobs: Math.min(cores, poolThreads) + 1, cost: Infinity })
  for await (const block of blocks(source, frameBytes)) {
    yield* frames.untilRoomFor(block.length)
    frames.add(
      compress(block, level).finally(() => releaseChunk(block)),
      block.length,
    )
  }
  yield* frames.rest()
}
