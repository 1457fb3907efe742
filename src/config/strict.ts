import { z } from 'zod'
import { didYouMean } from './nearest.js'

/** As many as can be read at a glance. */
function knownOnes(known: readonly string[]): string {
  return known.length > 6 ? '' : `; known are ${known.join(', ')}`
}

/** An object of exactly these keys; a message for each that is not among them, a line each. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as readonly string[])
            .map((key) => `${key} is not known${didYouMean(key, known) || knownOnes(known)}`)
            .join('\n')
        : undefined,
  })
}
