import type { Context } from '../../env/context.js'

interface Group<Item, Result> {
  readonly items: Item[]
  readonly callers: Context[]
  readonly result: Promise<Result>
}

/**
 * One run of a program for all who ask before it begins. Whoever asks while one goes on gets the next: a run never answers for what
 * it may have looked at before it was asked.
 */
export class SharedRuns<Item, Result> {
  readonly #run: (cx: Context, items: readonly Item[]) => Promise<Result>
  #waiting: Group<Item, Result> | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(run: (cx: Context, items: readonly Item[]) => Promise<Result>) {
    this.#run = run
  }

  /** @throws what the run throws, to each who has asked */
  ask(cx: Context, item: Item): Promise<Result> {
    this.#waiting ??= this.#nextGroup()
    const { items, callers, result } = this.#waiting
    items.push(item)
    callers.push(cx)
    return result
  }

  #nextGroup(): Group<Item, Result> {
    const items: Item[] = []
    const callers: Context[] = []
    const before = this.#last
    const work = async (): Promise<Result> => {
      await before
      // Those who ask at the same moment come by different ways.
      await new Promise((resolve) => setImmediate(resolve))
      this.#waiting = undefined
      return this.#run({ ...(callers[0] as Context), signal: whenAllHave(callers) }, items)
    }
    const result = work()
    this.#last = result.catch(() => undefined)
    return { items, callers, result }
  }
}

/** Aborts with the last of them: a run goes on as long as one waits for it. */
function whenAllHave(callers: readonly Context[]): AbortSignal {
  const signals = new Set(callers.map(({ signal }) => signal))
  const [first] = signals
  if (signals.size === 1 && first !== undefined) return first
  const all = new AbortController()
  const look = () => {
    const left = [...signals].filter(({ aborted }) => !aborted)
    if (left.length === 0) all.abort(first?.reason)
  }
  for (const signal of signals) signal.addEventListener('abort', look, { once: true })
  look()
  return all.signal
}
