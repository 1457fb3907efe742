/**
 * Canonical cells as JSON text, made of what a database says in text: engines build the lines of a dump with these, so that a
 * value is the same line whatever engine it comes from.
 */

export function integerCell(digits: string): string {
  return digits.length < 16 || Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`
}

/** A double. */
export function floatCell(value: number): string {
  if (Number.isNaN(value)) return '"NaN"'
  if (value === Infinity) return '"Infinity"'
  if (value === -Infinity) return '"-Infinity"'
  return Object.is(value, -0) ? '"-0"' : String(value)
}

/** A float of four bytes that came as a double: the shortest text that means it. */
export function singleCell(value: number): string {
  if (!Number.isFinite(value) || value === 0) return floatCell(value)
  for (let digits = 6; digits < 10; digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === Math.fround(value)) return String(shorter)
  }
  return String(value)
}

/** JSON that is kept to the letter: embedded where parsing and writing it gives the same text. */
export function exactJsonCell(text: string): string {
  return survives(text, text) ? text : wrappedText('jsontext', text)
}

/** JSON whose blanks mean nothing, as the database has made them: `{"a": 1}`. */
export function looseJsonCell(text: string): string {
  const plain = text.includes(' ') ? withoutBlanks(text) : text
  return survives(plain, plain) ? plain : wrappedText('jsontext', text)
}

function survives(text: string, plain: string): boolean {
  // Those would be taken for the absence of a value, or for a wrapper.
  if (text === 'null' || text.includes('"~"')) return false
  try {
    return JSON.stringify(JSON.parse(text)) === plain
  } catch {
    return false
  }
}

/** Blanks between tokens left out; those within strings stay. */
function withoutBlanks(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/gsu, (_all, quoted: string | undefined) => quoted ?? '')
}

export function wrappedText(kind: string, text: string): string {
  return `{"~":"${kind}","v":${JSON.stringify(text)}}`
}

export function bytesCell(bytes: Buffer): string {
  return `"${bytes.toString('base64')}"`
}

/** `2024-01-31 10:00:00.500000` as `2024-01-31T10:00:00.5`, the fraction without zeros at its end. */
export function timestampCell(text: string): string {
  return `"${trimFraction(text.replace(' ', 'T'))}"`
}

export function timeCell(text: string): string {
  return `"${trimFraction(text)}"`
}

export function trimFraction(text: string): string {
  return text.includes('.')
    ? text.replace(/\.(\d*?)0+(?=$|Z|[+-])/u, (_all, kept: string) => (kept === '' ? '' : `.${kept}`))
    : text
}
