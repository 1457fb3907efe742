import { z } from 'zod'
import { didYouMean } from './nearest.js'

/** An object of exactly these keys; a message for each that is not among them, a line each. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as readonly string[])
            .map((key) => `${key} is not known${didYouMean(key, known)}`)
            .join('\n')
        : undefined,
  })
}
