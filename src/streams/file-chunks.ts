import { open, type FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { ChunkPool } from './chunk-pool.js'

const largeChunk = 4 * 1024 * 1024

/** A local file's bytes in chunks, of 4 MiB where nothing else is said, which may be given back (`releaseChunk`). */
export function fileChunks(path: string, chunkBytes = largeChunk): Readable {
  const pool = new ChunkPool(chunkBytes)
  let file: FileHandle | undefined
  return new Readable({
    highWaterMark: chunkBytes,
    construct(done) {
      open(path).then(
        (opened) => {
          file = opened
          done()
        },
        (error: Error) => done(error),
      )
    },
    read() {
      const chunk = pool.take()
      file?.read(chunk, 0, chunkBytes, null).then(
        ({ bytesRead }) => {
          if (bytesRead === chunkBytes) this.push(chunk)
          else this.push(bytesRead === 0 ? null : chunk.subarray(0, bytesRead))
        },
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      Promise.resolve(file?.close()).then(
        () => done(error),
        (failure: Error) => done(error ?? failure),
      )
    },
  })
}
