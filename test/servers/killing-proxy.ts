import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Stands between a client and a server until the client says something, and ends the client then. */
export interface KillingProxy {
  readonly port: number
  /** How often the client has said it so far; it is killed the `at`-th time. */
  readonly seen: number
  close(): Promise<void>
}

export interface Moment {
  /** What the client says, as it goes over the network. */
  readonly says: RegExp
  /** Default 1. */
  readonly at?: number
  /** Whether the server still hears it. */
  readonly heard: boolean
}

/** @param kill ends the client at once, as `SIGKILL` does */
export async function killingProxy(
  target: number,
  { says, at = 1, heard }: Moment,
  kill: () => void,
): Promise<KillingProxy> {
  const open = new Set<Socket>()
  let seen = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => open.delete(socket))
    }
    client.on('data', (data) => {
      if (says.test(data.toString('latin1')) && ++seen === at) {
        kill()
        if (!heard) {
          upstream.destroy()
          return
        }
      }
      upstream.write(data)
    })
    client.on('close', () => upstream.end())
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get seen() {
      return seen
    },
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
