import type { NoticeEvent, ProgressEvent } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { GlobalFlags } from './global-flags.js'
import type { ProgressDisplay } from './progress.js'
import { errorDocument } from './render/json/error.js'
import type { JsonBody } from './render/json/document.js'
import { jsonDocument } from './render/json/document.js'
import { renderError } from './render/text/error.js'
import { printable, type Style, type Terminal } from './terminal.js'

/** Shows what commands have to say: results as text or JSON on stdout, the rest on stderr. */
export class Reporter {
  readonly terminal: Terminal
  readonly progress: ProgressDisplay
  readonly #globals: GlobalFlags
  readonly #warnings = new Set<string>()
  /** What the process ends with. */
  exitCode = 0

  constructor(terminal: Terminal, progress: ProgressDisplay, globals: GlobalFlags) {
    this.terminal = terminal
    this.progress = progress
    this.#globals = globals
  }

  /** The result of a command that was run for the result: shown also with `--quiet`. */
  answer(command: string, body: JsonBody, text: (style: Style, columns: number | undefined) => string): void {
    this.progress.clear()
    if (this.#globals.json) this.terminal.result(jsonDocument(command, body))
    else {
      const shown = text(this.terminal.style, this.terminal.columns)
      if (shown !== '') this.terminal.result(shown)
    }
  }

  /** The result of a command that was run for its effect: with `--quiet` success says nothing. */
  done(command: string, body: JsonBody, text: (style: Style, columns: number | undefined) => string): void {
    if (this.#globals.json || !this.#globals.quiet) this.answer(command, body, text)
  }

  /** Something beside the result. */
  note(text: (style: Style) => string): void {
    if (!this.#globals.quiet) this.terminal.note(text(this.terminal.noteStyle))
  }

  /** Each warning is shown once, however many ways it comes. */
  warn(message: string): void {
    if (this.#warnings.has(message)) return
    this.#warnings.add(message)
    this.terminal.note(`${this.terminal.noteStyle('yellow', 'warning:')} ${printable(message)}`)
  }

  /** One of several failures, which do not end the command. `subject` says whose. With `--json` the document holds it. */
  failure(subject: string, error: HoldfastError): void {
    this.terminal.note(
      renderError(error, this.terminal.noteStyle, { verbose: this.#globals.verbose, subject }),
    )
  }

  /** What ended the command. */
  fatal(command: string | undefined, thrown: unknown): void {
    const error = naming(command, asHoldfastError(thrown))
    this.exitCode = error.exit
    this.progress.clear()
    if (this.#globals.json) this.terminal.result(jsonDocument(command ?? '', { error: errorDocument(error) }))
    else if (error.details['declined'] === true) this.terminal.note(printable(error.message))
    else this.terminal.note(renderError(error, this.terminal.noteStyle, { verbose: this.#globals.verbose }))
  }

  /** What operations tell while they work. */
  readonly event = (event: ProgressEvent | NoticeEvent): void => {
    if (event.type === 'progress') this.progress.update(event)
    else if (event.level === 'warning') this.warn(event.message)
    else if (this.#globals.verbose || (event.level === 'info' && !this.#globals.quiet)) {
      this.terminal.note(this.terminal.noteStyle('dim', printable(event.message)))
    }
  }
}

/** The table of errors cannot know which command was run. */
function naming(command: string | undefined, error: HoldfastError): HoldfastError {
  const { code, message, hint, cause, details } = error
  if (command === undefined || !hint.includes('help COMMAND')) return error
  return new HoldfastError(code, message, { cause, details, hint: hint.replace('COMMAND', command) })
}
