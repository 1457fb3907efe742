import { typeParts } from '../../engine/logical-type.js'
import { digitPlaces, letterPlaces, type TextPlaces } from './characters.js'
import type { Keyed } from './keyed.js'
import {
  cannotMask,
  noMaskFor,
  type CellMask,
  type MaskedColumns,
  type MaskOptions,
  type MaskRule,
} from './mask-rule.js'
import { firstNames, lastNames } from './names.js'
import { maskedNumber } from './number-masks.js'
import { permuted } from './permutation.js'

export interface CaseOption extends MaskOptions {
  /** Equal but for upper and lower case counts as equal: for columns whose collation says so. */
  readonly ignoreCase?: boolean
}

export interface EmailOptions extends CaseOption {
  /** Different addresses stay different. Always so where the column is in a key. */
  readonly unique?: boolean
  /** Default `example.com`, which belongs to nobody (RFC 2606). */
  readonly host?: string
}

export interface NameOptions extends CaseOption {
  /** Default `full`: a first and a last name. */
  readonly kind?: 'full' | 'first' | 'last'
  /** Different names stay different: letters follow the name. Always so where the column is in a key. */
  readonly unique?: boolean
}

export interface HashOptions extends CaseOption {
  /** Hexadecimal digits of a text. Default: 32, or as many as the column takes. */
  readonly length?: number
}

/** 80 bits: among a thousand million values, two that are equal are a chance of 1 in two million. */
const uniqueLetters = 16
const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

export function emailMask(options: EmailOptions): MaskRule {
  const { host = 'example.com', unique = false } = options
  return textRule('email', options, (columns) => {
    const room = (columns.maxLength ?? Infinity) - host.length - 1
    const letters = fittingLetters(columns, room, unique || columns.unique)
    return (keyed, text) => `${lettersOf(keyed, 'email', text, letters)}@${host}`
  })
}

export function nameMask(options: NameOptions): MaskRule {
  const { kind = 'full', unique = false } = options
  return textRule('name', options, (columns) => {
    const needsLetters = unique || columns.unique
    const room = columns.maxLength ?? Infinity
    if (needsLetters && room < uniqueLetters + 2) throw tooShort(columns, uniqueLetters + 2)
    return (keyed, text) => {
      const pick = (names: readonly string[], part: string) =>
        names[Number(keyed.below(`name ${part}`, text, BigInt(names.length)))] ?? ''
      const first = kind === 'last' ? '' : pick(firstNames, 'first')
      const last = kind === 'first' ? '' : pick(lastNames, 'last')
      const name = `${first} ${last}`.trim()
      if (!needsLetters) return name.slice(0, room)
      return `${name.slice(0, room - uniqueLetters - 1)} ${lettersOf(keyed, 'name', text, uniqueLetters)}`
    }
  })
}

/** Texts as hexadecimal digits, uuids as uuids, bytes as as many bytes. */
export function hashMask(options: HashOptions): MaskRule {
  const { length = 32, ignoreCase = false } = options
  return {
    mask: 'hash',
    options,
    prepare(columns) {
      const base = oneBase(columns, ['text', 'uuid', 'bytes'], 'hash')
      const keyed = columns.keyed()
      if (base === 'uuid') return (cell) => uuidOf(keyed, JSON.stringify(cell))
      if (base === 'bytes') {
        return (cell) => {
          const bytes = Buffer.from(typeof cell === 'string' ? cell : '', 'base64')
          return keyed.bytes('hash', JSON.stringify(cell), bytes.length).toString('base64')
        }
      }
      const digits = Math.min(length, columns.maxLength ?? Infinity)
      if (columns.unique && digits < 20) throw tooShort(columns, 20)
      return (cell) => {
        const text = JSON.stringify(ignoreCase && typeof cell === 'string' ? cell.toLowerCase() : cell)
        return keyed
          .bytes('hash', text, Math.ceil(digits / 2))
          .toString('hex')
          .slice(0, digits)
      }
    },
  }
}

/** Letters and digits become others; length, blanks, punctuation, upper and lower case stay. */
export function textMask(options: MaskOptions): MaskRule {
  return permutingRule('text', options, (text) => letterPlaces(text))
}

/** Digits become others; everything else stays. Numbers keep their sign and length. */
export function digitsMask(options: MaskOptions): MaskRule {
  const ofText = permutingRule('digits', options, digitPlaces)
  return {
    mask: 'digits',
    options,
    prepare: (columns) =>
      columns.columns.every(({ type }) => typeParts(type).base === 'text' && !type.endsWith('[]'))
        ? ofText.prepare(columns)
        : maskedNumber(columns, 'digits'),
  }
}

function permutingRule(
  name: string,
  options: MaskOptions,
  placesOf: (text: string) => TextPlaces | undefined,
): MaskRule {
  return {
    mask: name,
    options,
    prepare(columns): CellMask {
      oneBase(columns, ['text'], name)
      const keyed = columns.keyed()
      return (cell) => {
        if (typeof cell !== 'string') throw noMaskFor(columns, `a value is no text, which mask.${name} needs`)
        const found = placesOf(cell)
        if (found === undefined)
          throw noMaskFor(columns, `a value has a letter that mask.${name} has no other for`)
        return found.with(permuted(keyed, found.places))
      }
    },
  }
}

function textRule(
  name: string,
  options: CaseOption,
  prepare: (columns: MaskedColumns) => (keyed: Keyed, text: string) => string,
): MaskRule {
  return {
    mask: name,
    options,
    prepare(columns) {
      oneBase(columns, ['text'], name)
      const keyed = columns.keyed()
      const replace = prepare(columns)
      return (cell) =>
        replace(
          keyed,
          JSON.stringify(options.ignoreCase === true && typeof cell === 'string' ? cell.toLowerCase() : cell),
        )
    },
  }
}

/** The type that the columns have in common. @throws config.invalid where it is none of those that the mask is for */
export function oneBase(columns: MaskedColumns, allowed: readonly string[], name: string): string {
  const types = [...new Set(columns.columns.map(({ type }) => type))]
  const bases = new Set(types.map((type) => (type.endsWith('[]') ? type : typeParts(type).base)))
  const [base = ''] = bases
  if (bases.size === 1 && allowed.includes(base)) return base
  throw cannotMask(
    columns,
    `mask.${name} is for ${allowed.join(', ')}, and this is ${types.join(' and ')}`,
    'use mask.null, mask.const, mask.keep or mask.fn',
  )
}

function fittingLetters(columns: MaskedColumns, room: number, unique: boolean): number {
  const least = unique ? uniqueLetters : 8
  if (room < least) throw tooShort(columns, least + (columns.maxLength ?? 0) - room)
  return uniqueLetters > room ? room : uniqueLetters
}

function tooShort(columns: MaskedColumns, needed: number): Error {
  return cannotMask(
    columns,
    `takes ${columns.maxLength ?? needed - 1} characters, and the mask needs ${needed}`,
    'use mask.text or mask.digits, which keep the length, or mask.fn',
  )
}

function lettersOf(keyed: Keyed, purpose: string, text: string, length: number): string {
  const bytes = keyed.bytes(purpose, text, length)
  return Array.from(bytes, (byte) => base32[byte % 32]).join('')
}

/** A random uuid (version 4) as far as anyone can see. */
function uuidOf(keyed: Keyed, text: string): string {
  const hex = keyed.bytes('hash', text, 16).toString('hex')
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20),
  ].join('-')
}
