import type { Context } from '../../env/context.js'
import type { RunReport, RunStart } from '../run-report.js'

/** What a notifier works in: its signal is aborted when its time is over. */
export interface NotifierContext extends Context {
  /** Milliseconds until then. */
  timeLeft(): number
}

/** Tells somebody of a run. What it throws is a warning; it is given nothing that is secret. */
export interface Notifier {
  started?(cx: NotifierContext, run: RunStart): Promise<void>
  finished(cx: NotifierContext, report: RunReport): Promise<void>
  /** Goes as far as can be gone without a message, and says how far. @throws hook.failed */
  check(cx: NotifierContext): Promise<string>
}
