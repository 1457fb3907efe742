import { StringDecoder } from 'node:string_decoder'
import { redact, type Secret } from '../env/secret.js'

const keptAtEachEnd = 500
const longestLine = 2_000

/** The lines a program writes to stderr, with bounded memory: the first and the last of very many. */
export class MessageLog {
  readonly #decoder = new StringDecoder('utf8')
  readonly #secrets: readonly Secret[]
  readonly #first: string[] = []
  readonly #last: string[] = []
  #dropped = 0
  #rest = ''

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets
  }

  push(data: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(data)).split(/\r?\n/u)
    this.#rest = (parts.pop() ?? '').slice(0, longestLine)
    for (const line of parts) this.#add(line)
  }

  /** All lines kept; called when the program has ended. */
  lines(): readonly string[] {
    if (this.#rest !== '') this.#add(this.#rest)
    this.#rest = ''
    const gap = this.#dropped > 0 ? [`… ${this.#dropped} lines left out …`] : []
    return [...this.#first, ...gap, ...this.#last]
  }

  #add(text: string): void {
    if (text.trim() === '') return
    const line = redact(text.slice(0, longestLine), this.#secrets)
    if (this.#first.length < keptAtEachEnd) {
      this.#first.push(line)
      return
    }
    this.#last.push(line)
    if (this.#last.length > keptAtEachEnd) {
      this.#last.shift()
      this.#dropped += 1
    }
  }
}
