import type { CheckStatus, DoctorReport } from '../../../operations/reports.js'
import { errorDocument, type ErrorDocument } from './error.js'

/** `holdfast doctor --json`: every check, in the order they were made. */
export type DoctorDocument = {
  readonly checks: readonly {
    /** `config`, `database shop`, `storage main`. */
    readonly subject: string
    readonly name: string
    readonly status: CheckStatus
    readonly message: string
    readonly hint?: string
    readonly error?: ErrorDocument
  }[]
}

export function doctorDocument({ checks }: DoctorReport): DoctorDocument {
  return {
    checks: checks.map(({ subject, name, status, message, hint, error }) => ({
      subject,
      name,
      status,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(error === undefined ? {} : { error: errorDocument(error) }),
    })),
  }
}
