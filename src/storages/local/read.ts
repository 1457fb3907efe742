import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { addAbortSignal, Readable } from 'node:stream'
import { HoldfastError } from '../../errors.js'
import { clipRange } from '../byte-range.js'
import type { ByteRange } from '../storage.js'
import { storageError } from './errors.js'

const chunkBytes = 1024 * 1024

/** O_NONBLOCK, so that a named pipe is refused rather than waited for. Neither flag exists on Windows. */
const readOnly = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * The bytes of a file, in chunks of 1 MiB.
 * @param doing for errors: `cannot read shop/app.dump in local /backups`
 * @throws system errors of opening; later ones are the stream's, as storage errors
 */
export async function readFile(
  path: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
  doing: string,
): Promise<Readable> {
  const handle = await open(path, readOnly)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new HoldfastError('storage.not-found', `${doing}: it is not a file`)
    return addAbortSignal(signal, fileStream(handle, clipRange(range, stats.size), doing))
  } catch (error) {
    await handle.close()
    throw error
  }
}

function fileStream(handle: FileHandle, range: { start: number; end: number }, doing: string): Readable {
  let position = range.start
  return new Readable({
    highWaterMark: chunkBytes,
    read() {
      const wanted = Math.min(chunkBytes, range.end - position)
      if (wanted === 0) {
        this.push(null)
        return
      }
      handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, position).then(
        ({ bytesRead, buffer }) => {
          if (this.destroyed) return
          position += bytesRead
          if (bytesRead > 0) this.push(bytesRead === wanted ? buffer : buffer.subarray(0, bytesRead))
          // Whoever opened the file was told its size: fewer bytes are never a clean end.
          else
            this.destroy(
              new HoldfastError('integrity.truncated', `${doing}: it became shorter while it was read`),
            )
        },
        (error: unknown) => this.destroy(storageError(error, doing)),
      )
    },
    destroy(error, done) {
      handle.close().then(
        () => done(error),
        () => done(error),
      )
    },
  })
}
