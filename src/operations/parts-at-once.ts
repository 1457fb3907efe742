import type { Dump, DumpPart } from '../engine/connector.js'
import type { Context } from '../env/context.js'

/**
 * Takes every part of a dump, as many at once as the dump allows. Where one fails the others are ended, and so is the dump; all
 * have ended when this returns.
 * @param take is given the part's place in the dump, and a context that is aborted when another part has failed
 * @returns how many parts there were
 */
export async function takeParts(
  cx: Context,
  dump: Dump,
  take: (cx: Context, part: DumpPart, index: number) => Promise<void>,
): Promise<number> {
  const { concurrency = 1 } = dump
  let parts = 0
  if (concurrency === 1) {
    for await (const part of dump.parts) await take(cx, part, parts++)
    return parts
  }
  const stop = new AbortController()
  // Each has its share of the processor, and of the memory that goes with it.
  const env = { ...cx.env, cores: cx.env.cores / concurrency }
  const shared: Context = { ...cx, env, signal: AbortSignal.any([cx.signal, stop.signal]) }
  const iterator = dump.parts[Symbol.asyncIterator]()
  const lane = async () => {
    try {
      for (;;) {
        const next = await iterator.next()
        if (next.done === true) return
        if (shared.signal.aborted) next.value.bytes.destroy()
        shared.signal.throwIfAborted()
        await take(shared, next.value, parts++)
      }
    } catch (error) {
      stop.abort(error)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  if (stop.signal.aborted) {
    await iterator.return?.()
    throw stop.signal.reason
  }
  return parts
}
