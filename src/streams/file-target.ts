import { open, type FileHandle } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { releaseChunk } from './chunk-pool.js'

/** Writes a file that its owner alone may read, to the disk before it ends, and gives back the chunks that are in it (`releaseChunk`). */
export function fileTarget(path: string): Writable {
  let file: FileHandle | undefined
  return new Writable({
    construct(done) {
      open(path, 'w', 0o600).then(
        (opened) => {
          file = opened
          done()
        },
        (error: Error) => done(error),
      )
    },
    write(chunk: Buffer, _encoding, done) {
      // Unlike `write`, it takes all of the chunk.
      file?.writeFile(chunk).then(
        () => {
          releaseChunk(chunk)
          done()
        },
        (error: Error) => done(error),
      )
    },
    final: (done) => {
      Promise.resolve(file?.sync()).then(
        () => closed(file, null, done),
        (error: Error) => done(error),
      )
    },
    destroy: (error, done) => closed(file, error, done),
  })
}

function closed(
  file: FileHandle | undefined,
  error: Error | null,
  done: (error?: Error | null) => void,
): void {
  Promise.resolve(file?.close()).then(
    () => done(error),
    (failure: Error) => done(error ?? failure),
  )
}
