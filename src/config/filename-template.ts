import { HoldfastError } from '../errors.js'
import type { FilenameFacts } from './config.js'
import { didYouMean } from './nearest.js'

const placeholders = [
  'database',
  'server',
  'datetime',
  'engine',
  'extension',
] as const satisfies readonly (keyof FilenameFacts)[]

/** @param setting the setting with its origin, for the error. @throws config.invalid for a placeholder that means nothing */
export function checkTemplate(template: string, setting: string): void {
  for (const [, name = ''] of template.matchAll(/\{([^{}]*)\}/gu)) {
    if ((placeholders as readonly string[]).includes(name)) continue
    throw new HoldfastError(
      'config.invalid',
      `${setting}: {${name}} means nothing${didYouMean(name, placeholders)}; known: ${placeholders.map((each) => `{${each}}`).join(' ')}`,
    )
  }
}
