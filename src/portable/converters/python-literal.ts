import { isUtf8 } from 'node:buffer'
import { wrapped, type Cell } from '../../engine/cell.js'

/** What is wrong with a literal, and in which line of its text (from 0). Whoever reads the file knows the rest. */
export class NotALiteral extends Error {
  override readonly name = 'NotALiteral'
  readonly line: number

  constructor(reason: string, line: number) {
    super(reason)
    this.line = line
  }
}

/** A Python value as a cell; a dict is an object, a tuple a list, as JSON has it. */
export type PythonValue = Cell

const deepest = 64
/** As many digits as Python itself reads. */
const mostDigits = 4300

const constants: Readonly<Record<string, PythonValue>> = {
  None: null,
  True: true,
  False: false,
  // What repr() writes of floats that have no literal.
  inf: 'Infinity',
  nan: 'NaN',
}

const plainEscapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\n': '',
}

/**
 * Reads Python literals as data: numbers, strings, lists, tuples, dicts, None, True and False, as `repr` of Python 2 and 3 writes
 * them. Names, calls and operators are refused, so nothing can run.
 */
export class PythonReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The only value of the text. @throws NotALiteral */
  static value(text: string): PythonValue {
    const reader = new PythonReader(text)
    const value = reader.value()
    if (reader.peek() === ',') reader.take(',')
    if (!reader.atEnd()) throw reader.error('there is more behind the value')
    return value
  }

  /** `name = value`, one after another. @throws NotALiteral */
  static assignments(text: string): ReadonlyMap<string, PythonValue> {
    const reader = new PythonReader(text)
    const found = new Map<string, PythonValue>()
    while (!reader.atEnd()) {
      const name = reader.word()
      if (name === '') throw reader.error('a line is no assignment')
      reader.take('=')
      found.set(name, reader.value())
      if (reader.peek() === ';') reader.take(';')
    }
    return found
  }

  atEnd(): boolean {
    return this.peek() === ''
  }

  /** The next character that is no blank and in no comment; empty at the end. */
  peek(): string {
    const blank = /(?:\s+|#[^\n]*|\\\n)*/uy
    blank.lastIndex = this.#at
    blank.exec(this.#text)
    this.#at = blank.lastIndex
    return this.#text.charAt(this.#at)
  }

  take(character: string): void {
    const found = this.peek()
    if (found !== character)
      throw this.error(
        found === '' ? `the text ends where ${character} should be` : `${found} where ${character} should be`,
      )
    this.#at += 1
  }

  word(): string {
    this.peek()
    return this.#match(/[A-Za-z_]\w*/uy)?.[0] ?? ''
  }

  value(): PythonValue {
    const next = this.peek()
    if (next === '[') return this.#list('[', ']')
    if (next === '(') return this.#tuple()
    if (next === '{') return this.#dict()
    if (/[-+.\d]/u.test(next)) return this.#number()
    const quote = this.#match(/([bBuUrR]{0,2})('''|"""|'|")/uy)
    if (quote !== undefined) return this.#strings(quote[1] ?? '', quote[2] ?? '')
    const word = this.word()
    const constant = Object.hasOwn(constants, word) ? constants[word] : undefined
    if (constant !== undefined) return constant
    if (word !== '') throw this.error(`${word} is no literal, and nothing in a data file is run`)
    throw this.error(
      next === '' ? 'the text ends where a value should be' : `${next} where a value should be`,
    )
  }

  error(reason: string): NotALiteral {
    return new NotALiteral(reason, this.#text.slice(0, this.#at).split('\n').length - 1)
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text) ?? undefined
    if (found !== undefined) this.#at = pattern.lastIndex
    return found
  }

  #within<T>(open: string, read: () => T): T {
    this.take(open)
    this.#depth += 1
    if (this.#depth > deepest) throw this.error(`values are nested deeper than ${deepest}`)
    const result = read()
    this.#depth -= 1
    return result
  }

  #items<T>(close: string, read: () => T): { readonly items: readonly T[]; readonly comma: boolean } {
    const items: T[] = []
    let comma = true
    while (this.peek() !== close) {
      if (!comma) throw this.error(`${this.peek() || 'the end'} where , or ${close} should be`)
      items.push(read())
      comma = this.peek() === ','
      if (comma) this.take(',')
    }
    this.take(close)
    return { items, comma }
  }

  #list(open: string, close: string): PythonValue {
    return this.#within(open, () => this.#items(close, () => this.value()).items)
  }

  /** `(1)` is 1, `(1,)` a tuple. */
  #tuple(): PythonValue {
    return this.#within('(', () => {
      const { items, comma } = this.#items(')', () => this.value())
      return items.length === 1 && !comma ? (items[0] ?? null) : items
    })
  }

  #dict(): PythonValue {
    return this.#within('{', () => {
      const { items } = this.#items('}', () => {
        const key = this.value()
        if (typeof key !== 'string') throw this.error('the key of a dict is no string')
        this.take(':')
        return [key, this.value()] as const
      })
      return Object.fromEntries(items)
    })
  }

  #number(): PythonValue {
    const found = this.#match(
      /([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+(?![\d.eE])|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[lL]?(?![\w.])/uy,
    )
    const infinite = found === undefined ? this.#match(/([-+]?)(inf|nan)(?!\w)/uy) : undefined
    if (infinite?.[2] !== undefined)
      return infinite[2] === 'nan' ? 'NaN' : `${infinite[1] === '-' ? '-' : ''}Infinity`
    const [, sign = '', digits] = found ?? []
    if (digits === undefined) throw this.error('a number cannot be read')
    if (digits.length > mostDigits) throw this.error(`a number has more than ${mostDigits} digits`)
    const negative = sign === '-'
    if (/[.eE]/u.test(digits) && !/^0[xX]/u.test(digits)) return float(Number(digits), negative)
    const octal = /^0[oO]?([0-7]+)$/u.exec(digits)?.[1]
    const value = BigInt(octal === undefined ? digits : `0o${octal}`)
    return integer(negative ? -value : value)
  }

  /** Strings that follow one another are one. Text without a prefix is bytes to Python 2, which are UTF-8 or stay bytes. */
  #strings(firstPrefix: string, firstQuote: string): PythonValue {
    const pieces: Buffer[] = []
    let asBytes = false
    for (let [prefix, quote] = [firstPrefix.toLowerCase(), firstQuote]; ;) {
      asBytes ||= prefix.includes('b')
      pieces.push(this.#string(prefix, quote))
      this.peek()
      const next = this.#match(/([bBuUrR]{0,2})('''|"""|'|")/uy)
      if (next === undefined) break
      ;[prefix, quote] = [(next[1] ?? '').toLowerCase(), next[2] ?? '']
    }
    const bytes = Buffer.concat(pieces)
    return !asBytes && isUtf8(bytes) ? bytes.toString('utf8') : wrapped('bytes', bytes.toString('base64'))
  }

  #string(prefix: string, quote: string): Buffer {
    const raw = prefix.includes('r')
    const unicode = prefix.includes('u')
    const pieces: Buffer[] = []
    let text = ''
    const flush = () => {
      if (/\p{Surrogate}/u.test(text)) throw this.error('a string holds half a character (a lone surrogate)')
      pieces.push(Buffer.from(text))
      text = ''
    }
    for (;;) {
      const plain = this.#match(/[^\\'"\n]+/uy)?.[0]
      if (plain !== undefined) {
        text += plain
        continue
      }
      if (this.#text.startsWith(quote, this.#at)) {
        this.#at += quote.length
        flush()
        return Buffer.concat(pieces)
      }
      const character = this.#text.charAt(this.#at)
      if (character === '' || (character === '\n' && quote.length === 1))
        throw this.error('a string does not end')
      if (character !== '\\') {
        text += character
        this.#at += 1
      } else if (raw) {
        text += this.#text.slice(this.#at, this.#at + 2)
        this.#at += 2
      } else {
        const byte = this.#escape(unicode)
        if (typeof byte === 'string') text += byte
        else {
          flush()
          pieces.push(byte)
        }
      }
    }
  }

  /** Text, or a byte that is no text by itself. */
  #escape(unicode: boolean): string | Buffer {
    const number = this.#match(/\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3}))/uy)
    if (number !== undefined) {
      const value =
        number[1] === undefined ? Number.parseInt(number[2] ?? '0', 8) : Number.parseInt(number[1], 16)
      return unicode || value < 0x80 ? String.fromCodePoint(value) : Buffer.of(value & 0xff)
    }
    const point = this.#match(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/uy)
    if (point !== undefined) {
      const value = Number.parseInt(point[1] ?? point[2] ?? '', 16)
      if (value > 0x10ffff) throw this.error('a string names a character that does not exist')
      return point[1] === undefined ? String.fromCodePoint(value) : String.fromCharCode(value)
    }
    const character = this.#text.charAt(this.#at + 1)
    const known = plainEscapes[character]
    if (known === undefined && (character === 'N' || character === ''))
      throw this.error('an escape in a string cannot be read')
    this.#at += 2
    // Python leaves an escape that it does not know as it is.
    return known ?? `\\${character}`
  }
}

function integer(value: bigint): PythonValue {
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

function float(value: number, negative: boolean): PythonValue {
  const signed = negative ? -value : value
  if (Object.is(signed, -0)) return '-0'
  if (Number.isFinite(signed)) return signed
  return signed > 0 ? 'Infinity' : '-Infinity'
}
