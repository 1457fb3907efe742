import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'

/**
 * Runs what a connector of the user's own brings. An error that is none of Holdfast's is named as the connector's.
 * @throws connector.failed, the error itself where it is one of Holdfast's; the signal's reason when aborted
 */
export async function ofUser<Result>(
  connector: string,
  cx: Context,
  run: () => Promise<Result>,
): Promise<Result> {
  cx.signal.throwIfAborted()
  try {
    return await run()
  } catch (thrown) {
    throw cx.signal.aborted ? cx.signal.reason : namedError(connector, thrown)
  }
}

/** An error of Holdfast's as it is, any other as the connector's. */
export function namedError(connector: string, thrown: unknown): HoldfastError {
  const error = asHoldfastError(thrown, 'connector.failed')
  if (error === thrown) return error
  return new HoldfastError(error.code, `the connector ${connector}: ${error.message}`, { cause: thrown })
}
