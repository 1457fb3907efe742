import { asHoldfastError, type HoldfastError } from '../../../errors.js'
import type { Comparison } from '../../../operations/reports.js'
import { renderDifferences } from './comparison.js'
import { printable, printableLines, type Style } from '../../terminal.js'
import { withoutPasswords } from '../redaction.js'

export interface ErrorView {
  /** With causes and the messages of tools. */
  readonly verbose: boolean
  /** Whose error, where several were worked on. */
  readonly subject?: string
}

/** `error: …`, then what to do about it, then its code. */
export function renderError(error: HoldfastError, style: Style, { verbose, subject }: ErrorView): string {
  const message = printableLines(withoutPasswords(error.message))
  const whose = subject === undefined || message.startsWith(`${subject}:`) ? '' : `${printable(subject)}: `
  const lines = [
    `${style('red', style('bold', 'error:'))} ${whose}${message} ${style('dim', `[${error.code}]`)}`,
    `${style('cyan', 'hint:')} ${printableLines(error.hint)}`,
  ]
  lines.push(...differencesOf(error, style))
  if (verbose) lines.push(...causes(error, style), ...toolMessages(error, style))
  return lines.join('\n')
}

function differencesOf({ code, details }: HoldfastError, style: Style): readonly string[] {
  const comparison = details['comparison'] as Comparison | undefined
  return code === 'integrity.differs' && comparison !== undefined ? renderDifferences(comparison, style) : []
}

function causes(error: HoldfastError, style: Style): readonly string[] {
  const lines: string[] = []
  let previous = error.message
  const seen = new Set<unknown>()
  for (let cause = error.cause; cause !== undefined && !seen.has(cause);) {
    seen.add(cause)
    const { message } = asHoldfastError(cause)
    if (message !== previous) lines.push(style('dim', `cause: ${printableLines(withoutPasswords(message))}`))
    previous = message
    cause = cause instanceof Error ? cause.cause : undefined
  }
  // A bug is found by where it was thrown.
  if (
    error.code === 'internal.unexpected' &&
    error.cause instanceof Error &&
    error.cause.stack !== undefined
  ) {
    lines.push(style('dim', printableLines(withoutPasswords(error.cause.stack))))
  }
  return lines
}

function toolMessages({ details }: HoldfastError, style: Style): readonly string[] {
  const { messages } = details
  if (!Array.isArray(messages) || messages.length === 0) return []
  return [
    style('dim', 'messages of the tool:'),
    ...messages.map((line) => style('dim', `  ${printable(withoutPasswords(String(line)))}`)),
  ]
}
