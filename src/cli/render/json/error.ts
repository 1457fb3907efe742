import type { HoldfastError } from '../../../errors.js'
import { withoutPasswords } from '../redaction.js'
import type { JsonField } from './document.js'

/**
 * An error in a document: `{ code, message, hint, exit, details }`. Where an error ended the command, the document is
 * `{ "holdfast": 1, "command": "backup", "error": { … } }`.
 */
export type ErrorDocument = {
  /** Stable; see docs/errors.md. */
  readonly code: string
  readonly message: string
  readonly hint: string
  /** The exit code that belongs to this error. */
  readonly exit: number
  readonly details: { readonly [name: string]: JsonField }
}

export function errorDocument(error: HoldfastError): ErrorDocument {
  const { code, message, hint, exit, details } = error
  return {
    code,
    message: withoutPasswords(message),
    hint,
    exit,
    details: JSON.parse(withoutPasswords(JSON.stringify(details, plainValue))) as ErrorDocument['details'],
  }
}

/** Details are for programs and come from everywhere: what JSON cannot hold becomes text. */
function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return value.message
  return value
}
