import { HoldfastError } from '../../errors.js'

/*
 * The armor of age files (https://c2sp.org/age, "ASCII armor"): strict PEM with lines of 64 characters.
 */

const beginLine = '-----BEGIN AGE ENCRYPTED FILE-----'
const endLine = '-----END AGE ENCRYPTED FILE-----'
const fullLine = /^[A-Za-z0-9+/]{64}$/u
const lastLine = /^(?:[A-Za-z0-9+/]{4}){0,15}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/u

export function startsAsArmor(head: Buffer): boolean {
  return head.toString('latin1').trimStart().startsWith(beginLine)
}

/** The bytes within the armor. @throws integrity.format, integrity.truncated */
export async function* dearmored(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const lines = new ArmorLines()
  let rest = ''
  for await (const chunk of source) {
    const texts = (rest + chunk.toString('latin1')).split('\n')
    rest = texts.pop() ?? ''
    // No line is longer, and the rest must not grow without bound.
    if (rest.length > 128 && rest.trim() !== '') throw malformed()
    yield Buffer.concat(texts.map((text) => lines.read(text)))
  }
  // A last line without a line feed is whole only where it ends the armor.
  if (lines.ended || rest.trim() === endLine) lines.read(rest)
  if (!lines.ended) throw new HoldfastError('integrity.truncated', 'the armored age data end too early')
}

class ArmorLines {
  #place: 'before' | 'within' | 'short' | 'after' = 'before'

  get ended(): boolean {
    return this.#place === 'after'
  }

  /** The bytes of one line, without its line feed. */
  read(text: string): Buffer {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    if (this.#place === 'before' || this.#place === 'after') this.#readOutside(line.trim())
    else if (line === endLine) this.#place = 'after'
    else if (this.#place === 'within' && fullLine.test(line)) return Buffer.from(line, 'base64')
    else if (this.#place === 'within' && lastLine.test(line)) {
      this.#place = 'short'
      return Buffer.from(line, 'base64')
    } else if (line !== '' || this.#place === 'within') throw malformed()
    return Buffer.alloc(0)
  }

  #readOutside(line: string): void {
    if (line === '') return
    if (this.#place === 'after' || line !== beginLine) throw malformed()
    this.#place = 'within'
  }
}

function malformed(): HoldfastError {
  return new HoldfastError('integrity.format', 'the armor of the age data is damaged')
}
