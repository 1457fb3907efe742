import type { Context } from '../env/context.js'

/** Something that does one task after another. */
export interface Worker<Task> {
  /** @returns what has become possible by it, to be done before the rest */
  take(task: Task): Promise<readonly Task[]>
  close(): Promise<void>
}

export interface Work<Task> {
  readonly tasks: readonly Task[]
  readonly worker: (signal: AbortSignal) => Promise<Worker<Task>>
}

/** Does all tasks by several workers at once. Where one fails the others are stopped; all have ended when this returns. */
export async function doAll<Task>(
  cx: Context,
  workers: number,
  { tasks, worker }: Work<Task>,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([cx.signal, stop.signal])
  const queue = [...tasks]
  let busy = 0
  let wake: (() => void)[] = []
  const changed = () => {
    for (const resolve of wake) resolve()
    wake = []
  }
  signal.addEventListener('abort', changed, { once: true })
  const run = async () => {
    let mine: Worker<Task> | undefined
    try {
      for (;;) {
        signal.throwIfAborted()
        const task = queue.shift()
        if (task === undefined) {
          if (busy === 0) return
          // What is being done may make more work possible.
          await new Promise<void>((resolve) => wake.push(resolve))
          continue
        }
        busy++
        mine ??= await worker(signal)
        queue.unshift(...(await mine.take(task)))
        busy--
        changed()
      }
    } catch (error) {
      stop.abort(error)
    } finally {
      await mine?.close()
    }
  }
  await Promise.all(Array.from({ length: workers }, run))
  if (signal.aborted) throw signal.reason
}
