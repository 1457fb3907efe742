import { HoldfastError } from '../errors.js'

/** Between double quotes a backslash stands for itself before anything else (POSIX, Shell Command Language, 2.2.3). */
const escapedInQuotes = ['$', '`', '"', '\\', '\n']

/**
 * The words of a text, split as a POSIX shell splits them: blanks, quotes, backslashes. Nothing else of a shell is known here:
 * `;`, `|`, `$()`, backquotes, `*` and `~` are characters like any other. On Windows a backslash is part of a path and escapes
 * nothing but a double quote.
 * @param setting what holds the text, with its origin, for the error
 * @throws config.invalid for a quote that is not closed, or a backslash with nothing behind it
 */
export function splitWords(text: string, setting: string, platform: NodeJS.Platform): readonly string[] {
  const words: string[] = []
  const windows = platform === 'win32'
  let word: string | undefined
  let quote: string | undefined
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    const next = text[at + 1]
    if (quote === undefined && /\s/u.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    word ??= ''
    if (character === '\\' && quote !== "'" && escapes(next, quote, windows)) {
      if (next === undefined) throw unfinished(setting, 'ends in a backslash')
      at++
      // A line that is continued.
      if (next !== '\n') word += next
    } else if (quote === undefined && (character === "'" || character === '"')) quote = character
    else if (character === quote) quote = undefined
    else word += character
  }
  if (quote !== undefined) throw unfinished(setting, `has a ${quote} that is not closed`)
  if (word !== undefined) words.push(word)
  return words
}

function escapes(next: string | undefined, quote: string | undefined, windows: boolean): boolean {
  if (windows) return next === '"'
  return quote === undefined || (next !== undefined && escapedInQuotes.includes(next))
}

function unfinished(setting: string, what: string): HoldfastError {
  return new HoldfastError('config.invalid', `${setting} ${what}`, {
    hint: 'quote it as for a shell, or give it as an array of words',
  })
}
