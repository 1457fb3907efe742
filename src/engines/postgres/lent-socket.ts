import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Client } from 'pg'

/** Reads of this length: a fresh buffer for every 64 KiB, as Node makes them, is work for the garbage collector. */
const readBytes = 256 * 1024

/** @returns false where that is enough for now */
export type Taker = (data: Buffer) => boolean

const takers = new WeakMap<Duplex, Taker>()

/** A socket for the driver. All that arrives is read into one buffer; the driver, which keeps what it is given, gets copies. */
export function lendableSocket(): Socket {
  const socket: Socket = new Socket({
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback(length: number, buffer: Uint8Array): boolean {
        const data = Buffer.from(buffer.buffer, buffer.byteOffset, length)
        const taker = takers.get(socket)
        // What was given back meanwhile goes on reading: nobody else would let it.
        if (taker !== undefined) return taker(data) || !takers.has(socket)
        socket.emit('data', Buffer.from(data))
        return true
      },
    },
  } as ConstructorParameters<typeof Socket>[0])
  return socket
}

/** A connection's socket while the driver does not see what arrives. */
export interface LentSocket {
  readonly socket: Duplex
  /** Gives it back to the driver, which must find nothing half read. */
  giveBack(): void
}

/**
 * Takes what arrives from the driver, which would make an object of every row. The driver must be idle.
 * @param taker may change the memory that it is given, which is used again
 */
export function borrowSocket(client: Client, taker: Taker): LentSocket {
  const socket = client.connection.stream
  const listeners = socket.listeners('data') as ((data: Buffer) => void)[]
  // Where TLS is spoken the socket is not ours, and reads as any other.
  const listen = (data: Buffer) => {
    if (!taker(data) && takers.get(socket) === taker) socket.pause()
  }
  for (const listener of listeners) socket.off('data', listener)
  takers.set(socket, taker)
  socket.on('data', listen)
  return {
    socket,
    giveBack() {
      takers.delete(socket)
      socket.off('data', listen)
      for (const listener of listeners) socket.on('data', listener)
      socket.resume()
    },
  }
}
