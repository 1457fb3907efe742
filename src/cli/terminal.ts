import { styleText } from 'node:util'

/** Where text goes: the part of a stream of Node's that is needed here. */
export interface TextStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): boolean
}

export interface Machine {
  readonly stdout: TextStream
  readonly stderr: TextStream
}

export type Look = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan'
/** Colours a text, or leaves it as it is where there are no colours. */
export type Style = (look: Look, text: string) => string

export interface TerminalOptions {
  readonly noColor: boolean
  readonly variables: Readonly<Record<string, string | undefined>>
}

/**
 * Results go to stdout, everything else to stderr. A status line at the bottom of stderr stays below what is written
 * meanwhile.
 */
export class Terminal {
  /** For texts on stdout. */
  readonly style: Style
  /** For texts on stderr. */
  readonly noteStyle: Style
  readonly #machine: Machine
  #status = ''

  constructor(machine: Machine, options: TerminalOptions) {
    this.#machine = machine
    this.style = styleFor(machine.stdout, options)
    this.noteStyle = styleFor(machine.stderr, options)
  }

  /** Columns of stdout; `undefined` where it is not a terminal and lines may be of any length. */
  get columns(): number | undefined {
    // A terminal that does not know its width says 0.
    return this.#machine.stdout.isTTY === true ? this.#machine.stdout.columns || undefined : undefined
  }

  /** Columns of stderr; see {@link columns}. */
  get noteColumns(): number | undefined {
    return this.#machine.stderr.isTTY === true ? this.#machine.stderr.columns || undefined : undefined
  }

  get statusColumns(): number {
    return this.#machine.stderr.columns || 80
  }

  get hasStatusLine(): boolean {
    return this.#machine.stderr.isTTY === true
  }

  /** A result, on stdout. */
  result(text: string): void {
    this.#withoutStatus(() => this.#machine.stdout.write(text.endsWith('\n') ? text : `${text}\n`))
  }

  /** Anything else, on stderr. */
  note(text: string): void {
    this.#withoutStatus(() => this.#machine.stderr.write(`${text}\n`))
  }

  /** Replaces the status line; an empty text removes it. */
  status(text: string): void {
    if (!this.hasStatusLine || text === this.#status) return
    this.#machine.stderr.write(`\r${text}\u001b[K`)
    this.#status = text
  }

  #withoutStatus(write: () => void): void {
    const status = this.#status
    this.status('')
    write()
    this.status(status)
  }
}

function styleFor(stream: TextStream, { noColor, variables }: TerminalOptions): Style {
  // https://no-color.org: present and not empty, whatever its value.
  const refused = noColor || (variables['NO_COLOR'] ?? '') !== '' || variables['TERM'] === 'dumb'
  const forced = (variables['FORCE_COLOR'] ?? '0') !== '0'
  if (refused || !(stream.isTTY === true || forced)) return (_look, text) => text
  // Which stream it is for has been seen already; Node would look at stdout alone.
  return (look, text) => styleText(look, text, { validateStream: false })
}

/**
 * A text from elsewhere without control characters, so that no name of a table or server can move the cursor or change what
 * the terminal shows.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => {
    const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
    return escapes[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
  })
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
