import type { Cell, Row } from '../engine/cell.js'

/** Only a line with so many digits in a row can hold an integer that a double does not. */
const longDigits = /\d{16}/u
const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gsu

/**
 * An integer of a row's text that would not survive being read as a number, such as 9007199254740993; undefined where there is
 * none. Such a value is written as a string.
 */
export function inexactInteger(text: string, row: Row): string | undefined {
  if (!row.some(mayBeInexact) || !longDigits.test(text)) return undefined
  for (const [found] of text.matchAll(token)) {
    if (/^-?\d{16,}$/u.test(found) && String(Number(found)) !== found) return found
  }
  return undefined
}

/** What is within a list or an object is looked for in the text. */
function mayBeInexact(cell: Cell): boolean {
  return typeof cell === 'number'
    ? Math.abs(cell) > Number.MAX_SAFE_INTEGER
    : typeof cell === 'object' && cell !== null
}
