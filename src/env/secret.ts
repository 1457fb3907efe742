import { inspect } from 'node:util'

const hidden = '***'

/**
 * A value that must not be seen: it prints as `***` in strings, JSON, `console.log` and `util.inspect`. Only `reveal` gives
 * it out, at the one place that hands it to a driver, a private file or a cipher.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [inspect.custom](): string {
    return hidden
  }
}

/** The text with every given secret replaced by `***`; for messages that come from a tool or a driver. */
export function redact(text: string, secrets: Iterable<Secret>): string {
  let result = text
  for (const secret of secrets) {
    const value = secret.reveal()
    // A very short secret would blank out ordinary words; it is then not the message that gives it away.
    if (value.length >= 3) result = result.replaceAll(value, hidden)
  }
  return result
}
