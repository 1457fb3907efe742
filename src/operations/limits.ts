import type { Duplex } from 'node:stream'
import type { Settings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { Pace } from '../streams/pace.js'
import type { NamedStage } from './encoding.js'

/** The rate of one operation, all its streams together. */
export function paceOf({ maxRate }: Settings): Pick<Context, 'pace'> {
  return maxRate === undefined ? {} : { pace: new Pace(maxRate) }
}

const megabyte = 1_000_000
/**
 * What Node, the modules and the full buffers of one stream take beside what its stages do, and what each further stream adds: the most
 * that was measured, on Linux, with PostgreSQL and a compression that was slower than its dump.
 */
const [ownBytes, streamBytes] = [180 * megabyte, 15 * megabyte]

/** What the stages of one stream may take. */
export function memoryOf({ memoryLimit }: Settings): Pick<Context, 'memory'> {
  return memoryLimit === undefined ? {} : { memory: Math.max(0, memoryLimit - ownBytes) }
}

/** The context of each of several streams that go on at once. */
export function shared(cx: Context, streams: number): Context {
  if (cx.memory === undefined || streams < 2) return cx
  return { ...cx, memory: cx.memory / streams - streamBytes }
}

/**
 * @param streams how many go on at once
 * @throws config.invalid where the stages cannot do with so little memory
 */
export function assertFits(
  { memoryLimit, origins }: Settings,
  stages: readonly NamedStage[],
  streams = 1,
): void {
  if (memoryLimit === undefined) return
  const working = stages.reduce((sum, { stage: { jobBytes = 0 } }) => sum + jobBytes, 0)
  const least = ownBytes + (streams - 1) * streamBytes + streams * working
  if (memoryLimit >= least) return
  const inMegabytes = (bytes: number) => `${Math.ceil(bytes / megabyte)}MB`
  const jobs = streams > 1 ? ` by ${streams} jobs` : ''
  throw new HoldfastError(
    'config.invalid',
    `memoryLimit (${origins.get('memoryLimit')}) is ${inMegabytes(memoryLimit)}; a backup${jobs} with compress (${origins.get('compress')}) takes up to ${inMegabytes(least)}`,
    { hint: 'raise memoryLimit, or lower the level of compression' },
  )
}

/** What a stream goes through where its rate is limited: nothing otherwise. */
export function paced({ pace, signal }: Context): readonly Duplex[] {
  return pace === undefined ? [] : [pace.through(signal)]
}
