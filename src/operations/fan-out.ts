import { Readable } from 'node:stream'

/** What may wait for a taker that is a little slower than the others; above that all wait for the slowest. */
const aheadBytes = 1024 * 1024

/** Takes a stream to its end, or rejects. */
export type Taker = (bytes: Readable) => Promise<unknown>

/**
 * Gives one stream to several takers at the pace of the slowest. One that fails is left behind, and its own stream ends with
 * nothing; an error of the source is the error of every taker's stream, so that none takes a part for the whole.
 * @param allFailed makes one error of those of all takers
 * @throws an error of the source as it is; what `allFailed` gives where several takers have all failed
 */
export async function fanOut(
  source: Readable,
  takers: readonly Taker[],
  allFailed: (errors: readonly unknown[]) => Error,
): Promise<void> {
  const [only, ...others] = takers
  // One taker has the source itself: nothing is between them.
  if (only !== undefined && others.length === 0) {
    await only(source)
    return
  }
  const branches = takers.map((take) => new Branch(take))
  try {
    for await (const chunk of source) {
      await Promise.all(branches.map((branch) => branch.give(chunk as Buffer)))
      if (branches.every(({ failed }) => failed)) break
    }
  } catch (error) {
    for (const branch of branches) branch.break(error as Error)
    await Promise.all(branches.map(({ taken }) => taken))
    throw error
  }
  for (const branch of branches) branch.end()
  await Promise.all(branches.map(({ taken }) => taken))
  if (branches.every(({ failed }) => failed)) throw allFailed(branches.map(({ error }) => error))
}

/** One taker with the stream that it is given. */
class Branch {
  /** Resolves when the taker is done, one way or the other. */
  readonly taken: Promise<void>
  failed = false
  error: unknown
  readonly #bytes: Readable
  #wanted: (() => void) | undefined

  constructor(take: Taker) {
    this.#bytes = new Readable({ highWaterMark: aheadBytes, read: () => this.#proceed() })
    // Its taker is told; nobody else has to be.
    this.#bytes.on('error', () => undefined)
    this.#bytes.once('close', () => this.#proceed())
    this.taken = take(this.#bytes).then(
      () => this.#leave(),
      (error: unknown) => {
        this.failed = true
        this.error = error
        this.#leave()
      },
    )
  }

  /** Resolves when the taker wants more, or wants nothing at all any more. */
  async give(chunk: Buffer): Promise<void> {
    if (this.#bytes.destroyed || this.#bytes.push(chunk)) return
    await new Promise<void>((resolve) => {
      this.#wanted = resolve
    })
  }

  end(): void {
    if (!this.#bytes.destroyed) this.#bytes.push(null)
  }

  break(error: Error): void {
    this.#bytes.destroy(error)
  }

  #proceed(): void {
    this.#wanted?.()
    this.#wanted = undefined
  }

  #leave(): void {
    this.#bytes.destroy()
    this.#proceed()
  }
}
