import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CountingProxy {
  readonly endpoint: string
  /** What the service was asked so far; may be set back. */
  readonly asked: { requests: number; atOnce: number }
  stop(): void
}

export interface CountingOptions {
  /** What the service is asked in place of a path and its query. */
  readonly pathOf?: (url: string) => string
  /** How long each request is on its way, so that those asked at once are seen together. */
  readonly delayMs?: number
}

/** Hands each request on to a service, and counts it. */
export async function countingProxy(
  service: string,
  { pathOf = (url) => url, delayMs = 0 }: CountingOptions,
): Promise<CountingProxy> {
  const asked = { requests: 0, atOnce: 0 }
  let open = 0
  const counting = createServer((incoming, answer) => {
    asked.requests += 1
    asked.atOnce = Math.max(asked.atOnce, (open += 1))
    answer.once('close', () => (open -= 1))
    const { method, url = '', headers } = incoming
    const to = { port: new URL(service).port, method, path: pathOf(url), headers }
    const passed = request(to, (given) => {
      answer.writeHead(given.statusCode ?? 500, given.headers)
      given.pipe(answer)
    })
    if (delayMs === 0) incoming.pipe(passed)
    else setTimeout(() => incoming.pipe(passed), delayMs)
  })
  counting.listen(0, '127.0.0.1')
  await once(counting, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(counting.address() as AddressInfo).port}`,
    asked,
    stop() {
      counting.closeAllConnections()
      counting.close()
    },
  }
}
