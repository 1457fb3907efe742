import type { Context, ProgressEvent } from '../env/context.js'
import type { Observer } from '../streams/measure.js'

/** How far the parts of one dump have come together, also where several pass at once. */
export class PartsProgress {
  readonly #cx: Context
  readonly #of: Pick<ProgressEvent, 'subject' | 'phase' | 'totalBytes'>
  readonly #read = new Map<string, number>()
  #sum = 0
  #open = 0

  constructor(cx: Context, of: Pick<ProgressEvent, 'subject' | 'phase' | 'totalBytes'>) {
    this.#cx = cx
    this.#of = of
  }

  /** Sees one part pass by; a part that is opened once more counts anew. */
  observer(part: string): Observer {
    this.#note(part, 0)
    this.#open++
    return {
      push: (_chunk, bytes) => {
        this.#note(part, bytes)
        this.#cx.emit({ type: 'progress', ...this.#of, bytes: this.#sum })
      },
      end: ({ bytes }) => {
        this.#note(part, bytes)
        this.#open--
        const done = this.#open === 0 ? { done: true } : {}
        this.#cx.emit({ type: 'progress', ...this.#of, bytes: this.#sum, ...done })
      },
    }
  }

  #note(part: string, bytes: number): void {
    this.#sum += bytes - (this.#read.get(part) ?? 0)
    this.#read.set(part, bytes)
  }
}
