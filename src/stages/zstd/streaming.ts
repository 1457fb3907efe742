import type { Duplex } from 'node:stream'
import zlib, { type ZlibOptions } from 'node:zlib'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { filterTool } from '../../process/run.js'
import { filtered } from '../filtered.js'

/** From Node 22.15 on. */
const { createZstdDecompress } = zlib as typeof zlib & {
  createZstdDecompress?: (options: ZlibOptions) => Duplex
}

/**
 * Decompresses one frame of any size with the memory of its window: by Node itself where it can, otherwise by the zstd
 * program.
 * @throws tool.missing; what the source throws; an error of any other kind where the data are damaged
 */
export async function* decompressingStream(
  cx: Context,
  frame: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  if (createZstdDecompress !== undefined) {
    const stream = createZstdDecompress({ chunkSize: 1024 * 1024 })
    yield* filtered(frame, { stdin: stream, stdout: stream }, cx.signal)
    return
  }
  try {
    yield* filtered(frame, filterTool(cx, { program: 'zstd', args: ['-d', '-c', '-q'] }), cx.signal)
  } catch (error) {
    throw explained(error)
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof HoldfastError)) return error
  if (error.code === 'tool.missing')
    return new HoldfastError(
      'tool.missing',
      'a zstd frame of this size needs the zstd program, which is not installed',
      {
        cause: error,
        hint: 'install zstd, or use Node 22.15 or later',
        details: error.details,
      },
    )
  // Status 1 is how the program says that the data are bad; anything else is the program's own trouble.
  if (error.code === 'tool.failed' && error.details['status'] === 1) return new Error(error.message)
  return error
}
