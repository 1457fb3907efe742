import type { Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * The one place where streams are joined. Resolves when the last stream has taken everything; on an error of any of them, or
 * when the signal aborts, all are destroyed and the first error (or the signal's reason) is thrown.
 */
export async function connect(
  streams: readonly [Readable, ...Duplex[], Writable],
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(streams, { signal })
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}

/**
 * Joins streams and gives what comes out of them to a consumer; both must succeed. Where the consumer fails, its error is
 * thrown rather than the closed pipe it leaves behind.
 */
export async function connectTo<Result>(
  streams: readonly [Readable, ...Duplex[], Duplex],
  consume: (output: Readable) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const output = streams[streams.length - 1] as Duplex
  const [joined, consumed] = await Promise.allSettled([
    connect(streams, signal),
    consumeOrDestroy(output, consume),
  ])
  if (signal.aborted) throw signal.reason
  const failures = [consumed, joined].flatMap((each) =>
    each.status === 'rejected' ? [each.reason as unknown] : [],
  )
  // The one that failed has something to say; the other only that its neighbour is gone.
  if (failures.length > 0) throw failures.find((failure) => !isClosed(failure)) ?? failures[0]
  if (consumed.status === 'rejected') throw consumed.reason
  return consumed.value
}

async function consumeOrDestroy<Result>(
  output: Duplex,
  consume: (output: Readable) => Promise<Result>,
): Promise<Result> {
  try {
    return await consume(output)
  } catch (error) {
    output.destroy(error as Error)
    throw error
  }
}

function isClosed(failure: unknown): boolean {
  const { code } = failure as NodeJS.ErrnoException
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR'
}

/** Joins streams into one readable: an error of any of them is the error of the last, which is returned. */
export function connected(streams: readonly [Readable, ...Duplex[]], signal: AbortSignal): Readable {
  const [first, ...rest] = streams
  const last = rest.at(-1)
  if (last === undefined) return first
  // An error may come before anybody has begun to read; whoever begins then is told.
  last.on('error', () => undefined)
  connect([first, ...rest.slice(0, -1), last], signal).catch((error: Error) => last.destroy(error))
  return last
}
