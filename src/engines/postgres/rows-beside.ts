import type { DumpedRows, DumpRequest } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError } from '../../errors.js'

export interface RowsBeside {
  readonly rows: DumpedRows
  /** For pg_dump, so that it dumps the moment of the rows. */
  readonly snapshot?: string
}

/** Options of pg_dump that choose its moment. */
const ownMoment = /^--(?:snapshot|serializable-deferrable)(?:=|$)/u

/**
 * Opens the rows of a dump's moment where the request wants them. What fails here fails the portable dump alone.
 * @param snapshot of the dump. Default: the rows' own, which pg_dump is to take
 */
export async function openRowsBeside(
  cx: Context,
  connection: ConnectionSettings,
  request: DumpRequest,
  toolArgs: readonly string[],
  snapshot?: string,
): Promise<RowsBeside> {
  if (request.rows !== true) return { rows: {} }
  const { openSharedSource } = await import('./rows-source.js')
  try {
    const { source, share } = await openSharedSource(cx, connection, snapshot)
    if (snapshot !== undefined) return { rows: { source } }
    const chosen = toolArgs.find((argument) => ownMoment.test(argument))
    if (chosen !== undefined)
      return { rows: { source, apart: `${chosen} gives pg_dump a moment of its own` } }
    return await share().then(
      (shared) => ({ rows: { source }, snapshot: shared }),
      (error: unknown) => ({ rows: { source, apart: asHoldfastError(error).message } }),
    )
  } catch (error) {
    cx.signal.throwIfAborted()
    return { rows: { apart: asHoldfastError(error).message } }
  }
}
