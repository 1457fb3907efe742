import type { Duplex } from 'node:stream'
import type { Settings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { Pace } from '../streams/pace.js'

/** The rate of one operation, all its streams together. */
export function paceOf({ maxRate }: Settings): Pick<Context, 'pace'> {
  return maxRate === undefined ? {} : { pace: new Pace(maxRate) }
}

/** What a stream goes through where its rate is limited: nothing otherwise. */
export function paced({ pace, signal }: Context): readonly Duplex[] {
  return pace === undefined ? [] : [pace.through(signal)]
}
