import { Writable } from 'node:stream'
import { HoldfastError } from '../../errors.js'
import type { SftpConnection } from './connection.js'
import { statusOf, status } from './errors.js'

/** Every server takes so much at once; the round trips of so many requests overlap. */
const requestBytes = 32 * 1024
const requestsAhead = 64

/**
 * Writes an open file, at most 2 MiB ahead of what the server has confirmed. Finishes when all of it is confirmed, on the server's
 * disk where it can say so (`fsync@openssh.com`), and the file is closed.
 * @param doing for errors: `cannot write shop/app.dump in sftp backup@host/srv`
 */
export function writeHandle(connection: SftpConnection, handle: Buffer, doing: string): Writable {
  let position = 0
  let failure: Error | undefined
  const ahead = new Set<Promise<void>>()
  const send = (bytes: Buffer) => {
    const start = position
    position += bytes.length
    const sent: Promise<void> = connection
      .ask<void>(doing, (sftp, answer) =>
        sftp.write(handle, bytes, 0, bytes.length, start, (error) => answer(error, undefined)),
      )
      .catch((error: Error) => {
        failure ??= error
      })
      .finally(() => ahead.delete(sent))
    ahead.add(sent)
  }
  const write = async (chunk: Buffer) => {
    for (let offset = 0; offset < chunk.length; offset += requestBytes) {
      while (ahead.size >= requestsAhead) await Promise.race(ahead)
      if (failure !== undefined) break
      // The library copies what it is given before it returns.
      send(chunk.subarray(offset, offset + requestBytes))
    }
    if (failure !== undefined) throw await explained(connection, handle, failure, doing)
  }
  const close = () =>
    connection.ask<void>(doing, (sftp, answer) => sftp.close(handle, (error) => answer(error, undefined)))
  let closed = false
  const finish = async () => {
    await Promise.all(ahead)
    if (failure !== undefined) throw await explained(connection, handle, failure, doing)
    await synced(connection, handle, doing)
    closed = true
    await close()
  }
  return new Writable({
    highWaterMark: requestBytes * 8,
    write(chunk: Buffer, _encoding, done) {
      write(chunk).then(() => done(), done)
    },
    final(done) {
      finish().then(() => done(), done)
    },
    destroy(error, done) {
      if (closed) done(error)
      else
        close().then(
          () => done(error),
          () => done(error),
        )
    },
  })
}

/** A file system without room is a mere failure in this protocol; how much room there is can be asked. */
async function explained(
  connection: SftpConnection,
  handle: Buffer,
  failure: Error,
  doing: string,
): Promise<Error> {
  if (statusOf(failure.cause) !== status.failure) return failure
  const room = await connection
    .ask<Room>(doing, (sftp, answer) => sftp.ext_openssh_fstatvfs(handle, answer))
    .catch(() => undefined)
  return room !== undefined && room.f_bavail * room.f_frsize < requestBytes * requestsAhead
    ? new HoldfastError('storage.full', `${doing}: there is no space left`, { cause: failure })
    : failure
}

async function synced(connection: SftpConnection, handle: Buffer, doing: string): Promise<void> {
  try {
    await connection.ask<unknown>(doing, (sftp, answer) => sftp.ext_openssh_fsync(handle, answer))
  } catch (error) {
    if (!isUnsupported(error)) throw error
  }
}

/** What a server says of the room on its disk (OpenSSH, PROTOCOL, "statvfs@openssh.com"). */
export interface Room {
  /** Blocks for everybody, and the bytes of one. */
  readonly f_bavail: number
  readonly f_frsize: number
}

/** What the library throws where the server has not offered an extension; and what a server answers that must not know it. */
export function isUnsupported(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  const { message = '' } = thrown instanceof Error ? thrown : {}
  const refused: (number | undefined)[] = [status.unsupported, status.permissionDenied]
  return /does not support this extended request/u.test(message) || refused.includes(statusOf(cause))
}
