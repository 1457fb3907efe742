import type { Readable } from 'node:stream'
import { HoldfastError } from '../errors.js'
import type { ObjectKey } from './storage.js'

/** Ends the source of a put that failed, so that whatever feeds it ends too; harmless where it has ended already. */
export function destroySource(body: Readable, error: unknown): void {
  // The error is thrown by put; here it would only be an 'error' event without a listener.
  body.on('error', () => undefined)
  body.destroy(error instanceof Error ? error : undefined)
}

/** The error of a put's source as it is; undefined where the put failed for another reason. */
export function sourceError(body: Readable, key: ObjectKey, error: unknown): Error | undefined {
  // What stands before the source may have given it this error, too: Node 26 does.
  if (error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')
    return new HoldfastError(
      'integrity.truncated',
      `what was to be stored as ${key} stopped before its end`,
      {
        cause: error,
        details: { key },
      },
    )
  return body.errored !== null && body.errored === error ? body.errored : undefined
}
