import { Readable, type Writable } from 'node:stream'
import { connect } from '../streams/connect.js'

/** Something that reads bytes and writes others: a running program, or a stream of Node (which is both ends). */
export interface Filter {
  readonly stdin: Writable
  readonly stdout: Readable
}

/**
 * Sends the source through the filter. An error of the source is thrown rather than what the filter makes of it; when the
 * result is not read to its end, both ends of the filter are destroyed.
 */
export async function* filtered(
  source: AsyncIterable<Buffer>,
  filter: Filter,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let fault: unknown
  const watched = async function* () {
    try {
      yield* source
    } catch (error) {
      fault = error
      throw error
    }
  }
  const feeding = connect([Readable.from(watched(), { objectMode: false }), filter.stdin], signal)
  feeding.catch(() => undefined)
  try {
    // Not destroyed at its end, because a stream of Node that is both ends may still have input to read.
    for await (const chunk of filter.stdout.iterator({ destroyOnReturn: false })) yield chunk as Buffer
    await feeding
  } catch (error) {
    throw fault ?? error
  } finally {
    filter.stdout.destroy()
    filter.stdin.destroy()
  }
}
