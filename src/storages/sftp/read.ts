import { Readable } from 'node:stream'
import { HoldfastError } from '../../errors.js'
import type { SftpConnection } from './connection.js'

/** Every server answers so much at once; the round trips of so many requests overlap. */
const requestBytes = 32 * 1024
const requestsAhead = 64

/**
 * The bytes of an open file, asked for ahead of the reader by at most 2 MiB.
 * @param doing for errors: `cannot read shop/app.dump in sftp backup@host/srv`
 */
export function readHandle(
  connection: SftpConnection,
  handle: Buffer,
  range: { readonly start: number; readonly end: number },
  doing: string,
): Readable {
  let asked = range.start
  const ahead: Promise<Buffer>[] = []
  const askAhead = () => {
    while (asked < range.end && ahead.length < requestsAhead) {
      const start = asked
      asked = Math.min(start + requestBytes, range.end)
      const bytes = readWhole(connection, handle, start, asked - start, doing)
      // Told to the reader when its turn has come; an earlier one may have failed before.
      bytes.catch(() => undefined)
      ahead.push(bytes)
    }
  }
  return new Readable({
    highWaterMark: requestBytes * 8,
    read() {
      askAhead()
      const next = ahead.shift()
      if (next === undefined) {
        this.push(null)
        return
      }
      next.then(
        (bytes) => this.push(bytes),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      connection
        .ask<void>(doing, (sftp, answer) => sftp.close(handle, (failure) => answer(failure, undefined)))
        .then(
          () => done(error),
          () => done(error),
        )
    },
  })
}

/** A server may answer with less than it was asked for, and does so where its own limit is lower. */
async function readWhole(
  connection: SftpConnection,
  handle: Buffer,
  start: number,
  bytes: number,
  doing: string,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes)
  for (let filled = 0; filled < bytes;) {
    const offset = filled
    const got = await connection.ask<number>(doing, (sftp, answer) =>
      sftp.read(handle, buffer, offset, bytes - offset, start + offset, answer),
    )
    // Whoever opened the file was told its size: fewer bytes are never a clean end.
    if (got === 0)
      throw new HoldfastError('integrity.truncated', `${doing}: it became shorter while it was read`)
    filled += got
  }
  return buffer
}
