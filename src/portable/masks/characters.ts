import type { Place } from './permutation.js'

/** Ranges of Unicode whose letters are replaced by others of the same range. */
const ranges: readonly (readonly [first: number, last: number])[] = [
  [0x30, 0x39], // digits
  [0x61, 0x7a], // a-z
  [0xaa, 0x24f], // Latin with accents
  [0x370, 0x3ff], // Greek
  [0x400, 0x52f], // Cyrillic
  [0x531, 0x58f], // Armenian
  [0x5d0, 0x5ea], // Hebrew
  [0x620, 0x64a], // Arabic
  [0x671, 0x6d3], // Persian, Urdu
  [0x904, 0x939], // Devanagari
  [0x985, 0x9b9], // Bengali
  [0xb85, 0xbb9], // Tamil
  [0xe01, 0xe30], // Thai
  [0x10d0, 0x10ff], // Georgian
  [0x1e00, 0x1eff], // Latin with accents, Vietnamese
  [0x3041, 0x3096], // Hiragana
  [0x30a1, 0x30fa], // Katakana
  [0x4e00, 0x9fff], // Chinese characters
  [0xac00, 0xd7a3], // Hangul
]

interface Letter {
  readonly alphabet: readonly string[]
  readonly index: number
}

let known: ReadonlyMap<string, Letter> | undefined

/** Every letter, as its lower case, in the alphabet of its range: those with two cases apart from those with one. */
function letters(): ReadonlyMap<string, Letter> {
  if (known !== undefined) return known
  const found = new Map<string, Letter>()
  for (const [first, last] of ranges) {
    const all = Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index))
    const own = all.filter((each) => /[\p{L}\p{N}]/u.test(each) && folded(each) === each)
    for (const alphabet of [own.filter(hasTwoCases), own.filter((each) => !hasTwoCases(each))])
      for (const [index, letter] of alphabet.entries()) found.set(letter, { alphabet, index })
  }
  known = found
  return found
}

/** The lower case, where its upper case is the letter again: that of İ is not. */
function folded(letter: string): string {
  const lower = letter.toLowerCase()
  return lower.toUpperCase() === letter ? lower : letter
}

function hasTwoCases(lower: string): boolean {
  const upper = lower.toUpperCase()
  return upper !== lower && upper.length === lower.length && upper.toLowerCase() === lower
}

/** What of a text is replaced, and the text with that replaced. */
export interface TextPlaces {
  readonly places: readonly Place[]
  with(digits: readonly number[]): string
}

/**
 * A text's letters and digits; blanks, punctuation and marks stay. Upper and lower case are the same letter, and where they stand
 * remains, so that texts that differ for a case-insensitive collation go on to differ. `undefined` where a letter is in no range.
 */
export function letterPlaces(text: string): TextPlaces | undefined {
  const places: Place[] = []
  const parts: ((digits: readonly number[]) => string)[] = []
  for (const character of text) {
    const lower = folded(character)
    const letter = letters().get(lower)
    if (letter === undefined) {
      if (/[\p{L}\p{N}]/u.test(character)) return undefined
      parts.push(() => character)
      continue
    }
    const place = places.push({ digit: letter.index, radix: letter.alphabet.length }) - 1
    parts.push((digits) => {
      const replaced = letter.alphabet[digits[place] ?? 0] ?? ''
      return character === lower ? replaced : replaced.toUpperCase()
    })
  }
  return { places, with: (digits) => parts.map((part) => part(digits)).join('') }
}

/** Only the digits of a text: a telephone number keeps its form. */
export function digitPlaces(text: string): TextPlaces {
  return {
    places: [...text.matchAll(/[0-9]/gu)].map(([digit]) => ({ digit: Number(digit), radix: 10 })),
    with(digits) {
      let place = 0
      return text.replace(/[0-9]/gu, () => String(digits[place++]))
    },
  }
}
