import type { Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * The one place where streams are joined. Resolves when the last stream has finished; on an error of any of them, or when
 * the signal aborts, all are destroyed and the first error is thrown.
 */
export async function connect(
  streams: readonly [Readable, ...Duplex[], Writable],
  signal: AbortSignal,
): Promise<void> {
  await pipeline(streams as readonly [Readable, ...Duplex[], Writable], { signal })
}
