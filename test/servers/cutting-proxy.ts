import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Stands between a client and a server, and breaks their connections on demand. */
export interface CuttingProxy {
  readonly port: number
  /** Breaks every connection that there is, and each new one, once so many bytes more have gone to the server or come from it. */
  cutAfter(bytes: { readonly sent: number } | { readonly received: number }): void
  /** Lets new connections live again. */
  heal(): void
  close(): Promise<void>
}

export async function cuttingProxy(target: number): Promise<CuttingProxy> {
  const open = new Set<Socket>()
  let sent = Infinity
  let received = Infinity
  const cut = () => {
    for (const socket of open) socket.resetAndDestroy()
  }
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.on('data', (data: Buffer) => {
        if (from === client) sent -= data.length
        else received -= data.length
        if (sent <= 0 || received <= 0) cut()
      })
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cutAfter(bytes) {
      if ('sent' in bytes) sent = bytes.sent
      else received = bytes.received
    },
    heal() {
      sent = Infinity
      received = Infinity
    },
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
