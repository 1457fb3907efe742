/** Only a line with so many digits in a row can hold an integer that a double does not. */
const longDigits = /\d{16}/u
const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gsu

/**
 * An integer of a JSON text that would not survive being read as a number, such as 9007199254740993; undefined where there is
 * none. Such a value is written as a string.
 */
export function inexactInteger(text: string): string | undefined {
  if (!longDigits.test(text)) return undefined
  for (const [found] of text.matchAll(token)) {
    if (/^-?\d{16,}$/u.test(found) && String(Number(found)) !== found) return found
  }
  return undefined
}
