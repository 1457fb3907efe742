import type { Cell } from '../../engine/cell.js'
import { dateMask, type DateOptions } from './date-mask.js'
import type { MaskOptions, MaskRule } from './mask-rule.js'
import { numberMask, type NumberOptions } from './number-masks.js'
import { constMask, fnMask, keepMask, nullMask, type MaskCall } from './plain-masks.js'
import {
  digitsMask,
  emailMask,
  hashMask,
  nameMask,
  textMask,
  type EmailOptions,
  type HashOptions,
  type NameOptions,
} from './text-masks.js'

/**
 * Rules for the columns of a masked dump. Equal values become equal values, in every dump with the same key; NULL stays NULL;
 * columns that a foreign key joins are masked alike; values of a key stay different.
 *
 * @example
 * mask: {
 *   key: env('MASK_KEY'),
 *   users: { email: mask.email(), phone: mask.digits(), note: mask.null() },
 *   '*': { 'password*': mask.const('x') },
 * }
 */
export const mask = {
  /** `k3fq…@example.com`. */
  email: (options: EmailOptions = {}): MaskRule => emailMask(options),
  /** Other digits in texts and numbers; everything else stays: `+49 30 1234` becomes `+82 51 9907`. */
  digits: (options: MaskOptions = {}): MaskRule => digitsMask(options),
  /** NULL. @throws config.invalid for a column that does not take it */
  null: (): MaskRule => nullMask(),
  /** The same value in every row. @throws config.invalid for a column that is in a key */
  const: (value: Cell): MaskRule => constMask(value),
  /** `Nora Silva`. */
  name: (options: NameOptions = {}): MaskRule => nameMask(options),
  /** Other letters and digits; the length, blanks, punctuation and case stay. */
  text: (options: MaskOptions = {}): MaskRule => textMask(options),
  /** Another day of the same year, or within some days. */
  date: (options: DateOptions = {}): MaskRule => dateMask(options),
  /** Another number of as many digits, or within a range. */
  number: (options: NumberOptions = {}): MaskRule => numberMask(options),
  /** Hexadecimal digits for texts, a uuid for uuids, bytes for bytes. */
  hash: (options: HashOptions = {}): MaskRule => hashMask(options),
  /** The value itself: says to the mode `allowlist` that the column holds nothing to hide. */
  keep: (): MaskRule => keepMask(),
  /** A function of one's own, called for every value that is not NULL: `(value, { table, column, row, hash }) => …`. */
  fn: (replace: (value: Cell, call: MaskCall) => Cell): MaskRule => fnMask(replace),
} as const
