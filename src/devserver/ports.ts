import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port that nobody listens on; the system does not give it out again soon. */
export async function freePort(host: string): Promise<number> {
  return listen(host, 0)
}

export async function isFree(host: string, port: number): Promise<boolean> {
  try {
    await listen(host, port)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES') return false
    throw error
  }
}

async function listen(host: string, port: number): Promise<number> {
  const probe = createServer()
  probe.listen({ host, port, exclusive: true })
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new TypeError('a port has a number')
  return address.port
}
