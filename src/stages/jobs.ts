import type { Context } from '../env/context.js'

/** The threads of the pool, unless UV_THREADPOOL_SIZE says otherwise: more jobs at once would only take memory. */
const poolThreads = 4

/** How many jobs of a stage are under way at once: one more than can run, or as many as there is memory for. A share of a core is one job. */
export function jobsAtOnce(
  { env: { cores }, memory = Infinity }: Pick<Context, 'env' | 'memory'>,
  jobBytes: number,
): number {
  return Math.max(1, Math.min(Math.floor(Math.min(cores, poolThreads)) + 1, Math.floor(memory / jobBytes)))
}
