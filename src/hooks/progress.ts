import type { Context, Emit, ProgressEvent } from '../env/context.js'
import type { HookEvents, Operation } from './events.js'
import type { HookRunner } from './runner.js'

/**
 * Gives progress to the handlers of `onProgress`, one event at a time and without making the work wait. What comes while they
 * are busy is left out, but for the last of each phase.
 */
export class ProgressFeed {
  readonly #cx: Context
  readonly #hooks: HookRunner
  readonly #operation: Operation
  #busy = false
  #last: Promise<void> = Promise.resolve()

  constructor({ env, emit, hooks }: Omit<Context, 'signal'> & { hooks: HookRunner }, operation: Operation) {
    this.#cx = { env, emit, signal: new AbortController().signal }
    this.#hooks = hooks
    this.#operation = operation
  }

  /** Passes everything on; handlers see progress alone. */
  readonly emit: Emit = (event) => {
    this.#cx.emit(event)
    if (event.type === 'progress' && this.#hooks.has('onProgress')) this.#push(event)
  }

  /** Resolves when the handlers have seen all that was not left out. */
  async settled(): Promise<void> {
    await this.#last
  }

  #push({ type: _type, ...event }: ProgressEvent): void {
    if (this.#busy && event.done !== true) return
    this.#busy = true
    const mine = this.#last.then(() => this.#run(event))
    this.#last = mine
    void mine.finally(() => {
      if (this.#last === mine) this.#busy = false
    })
  }

  /** What a handler throws is a warning. */
  async #run(event: HookEvents['onProgress']): Promise<void> {
    await this.#hooks.run(this.#cx, this.#operation, 'onProgress', event)
  }
}
