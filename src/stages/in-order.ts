/** How much work may be under way at once. */
export interface WorkLimit {
  readonly jobs: number
  /** The sum of the costs of the jobs under way; a single job may cost more. */
  readonly cost: number
}

/** Work on the thread pool, several jobs at once, its results taken in the order in which the jobs came. */
export class InOrder<Result = Buffer> {
  readonly #limit: WorkLimit
  readonly #running: { readonly result: Promise<Result>; readonly cost: number }[] = []
  #cost = 0

  constructor(limit: WorkLimit) {
    this.#limit = limit
  }

  /** Adds a job that has just been started. */
  add(result: Promise<Result>, cost: number): void {
    // Its error is seen when its turn comes, or not at all when the stream has been given up by then.
    result.catch(() => undefined)
    this.#running.push({ result, cost })
    this.#cost += cost
  }

  /** Results of the oldest jobs, until there is room for a job of that cost. */
  async *untilRoomFor(cost: number): AsyncGenerator<Result> {
    while (
      this.#running.length >= this.#limit.jobs ||
      (this.#running.length > 0 && this.#cost + cost > this.#limit.cost)
    )
      yield await this.#take()
  }

  /** The results of all jobs that are left. */
  async *rest(): AsyncGenerator<Result> {
    while (this.#running.length > 0) yield await this.#take()
  }

  #take(): Promise<Result> {
    const oldest = this.#running.shift()
    if (oldest === undefined) throw new RangeError('no work is under way')
    this.#cost -= oldest.cost
    return oldest.result
  }
}
