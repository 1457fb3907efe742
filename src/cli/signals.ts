import { HoldfastError } from '../errors.js'

/** npm and npx hand Ctrl-C on to a program that the terminal has told already: that is one wish, not two. */
const sameWishMs = 500

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

const reasons: Readonly<Record<StopSignal, () => HoldfastError>> = {
  SIGINT: () => new HoldfastError('interrupted.sigint', 'interrupted'),
  SIGTERM: () => new HoldfastError('interrupted.sigterm', 'terminated'),
  SIGHUP: () => new HoldfastError('interrupted.sigterm', 'the terminal was closed'),
}

/** The part of the process that signals come from. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown
}

/**
 * The first signal asks everything to stop and clean up; another one ends the process at once.
 * @returns what the signals abort; the work may abort it too
 * @param exitNow ends the process
 * @param notice told of the first signal
 */
export function stopOnSignals(
  source: SignalSource,
  exitNow: (code: number) => void,
  notice: (reason: HoldfastError) => void,
): AbortController {
  const controller = new AbortController()
  let abortedAt = 0
  for (const signal of Object.keys(reasons) as StopSignal[]) {
    source.on(signal, () => {
      const reason = reasons[signal]()
      if (controller.signal.aborted) {
        if (performance.now() - abortedAt > sameWishMs) exitNow(reason.exit)
        return
      }
      abortedAt = performance.now()
      notice(reason)
      controller.abort(reason)
    })
  }
  return controller
}
