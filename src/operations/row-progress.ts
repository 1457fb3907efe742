import type { TableHeader } from '../engine/table-header.js'
import type { Context, ProgressEvent } from '../env/context.js'

/** Tells how many rows have come, of how many there may be. */
export class RowProgress {
  readonly #cx: Context
  readonly #phase: ProgressEvent['phase']
  readonly #subject: string
  readonly #total: number | undefined
  #rows = 0
  #bytes = 0

  constructor(cx: Context, phase: ProgressEvent['phase'], subject: string, headers: readonly TableHeader[]) {
    this.#cx = cx
    this.#phase = phase
    this.#subject = subject
    const known = headers.every(({ estimatedRows }) => estimatedRows !== undefined)
    this.#total = known ? headers.reduce((sum, { estimatedRows = 0 }) => sum + estimatedRows, 0) : undefined
  }

  add(rows: number, bytes: number): void {
    this.#rows += rows
    this.#bytes += bytes
    this.#tell(false)
  }

  done(): void {
    this.#tell(true)
  }

  #tell(done: boolean): void {
    this.#cx.emit({
      type: 'progress',
      subject: this.#subject,
      phase: this.#phase,
      bytes: this.#bytes,
      rows: this.#rows,
      ...(this.#total === undefined ? {} : { totalRows: this.#total }),
      ...(done ? { done } : {}),
    })
  }
}
