import type { HoldfastError } from '../../../errors.js'
import type { ProgramLine } from '../../../process/own-program.js'

/** Longer lines are cut by the reader, and would not be JSON any more. */
const longestMessage = 600

/** Writes to stdout and waits until it is taken. */
export function write(bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) =>
      error === null || error === undefined ? resolve() : reject(error),
    )
  })
}

export function sayWarning(warning: string): void {
  say({ warning: warning.slice(0, longestMessage) })
}

export function sayError({ code, message, hint, details }: HoldfastError): void {
  // The one detail that its reader cannot know otherwise.
  const row = details['row']
  say({
    error: {
      code,
      message: message.slice(0, longestMessage),
      hint: hint.slice(0, longestMessage),
      ...(typeof row === 'number' ? { details: { row } } : {}),
    },
  })
}

function say(line: ProgramLine): void {
  process.stderr.write(`${JSON.stringify(line)}\n`)
}
