import type { Keyed } from './keyed.js'

/** One place of a value: a digit below `radix`. */
export interface Place {
  readonly digit: number
  readonly radix: number
}

const rounds = 10
/** Longer values are taken in blocks, so that the time grows with the length and not with its square. */
const blockLength = 48

/**
 * Replaces the digits of a value by others, so that different values of one shape (the same radices) stay different. It is a
 * Feistel network whose halves are added to modulo their size, as in FF1 (NIST SP 800-38G), with HMAC as the round function.
 * A value of one single place is only rotated.
 */
export function permuted(keyed: Keyed, places: readonly Place[]): readonly number[] {
  const result: number[] = []
  const shape = places.map(({ radix }) => radix).join(' ')
  let before = ''
  for (let from = 0; from < places.length; from += blockLength) {
    const block = places.slice(from, from + blockLength)
    result.push(...permutedBlock(keyed, block, `${shape}/${before}`))
    // What stands before decides how the next block is replaced: equal blocks do not show.
    before = keyed.digest('block', `${before}${block.map(({ digit }) => digit).join(' ')}`).toString('hex')
  }
  return result
}

function permutedBlock(keyed: Keyed, block: readonly Place[], tweak: string): readonly number[] {
  const middle = Math.ceil(block.length / 2)
  const left = block.slice(0, middle)
  const right = block.slice(middle)
  const size = { left: sizeOf(left), right: sizeOf(right) }
  let a = numberOf(left)
  let b = numberOf(right)
  for (let round = 0; round < rounds; round += 2) {
    a = (a + keyed.below(`round ${round}`, `${tweak}/${b}`, size.left)) % size.left
    b = (b + keyed.below(`round ${round + 1}`, `${tweak}/${a}`, size.right)) % size.right
  }
  return [...digitsOf(a, left), ...digitsOf(b, right)]
}

function sizeOf(places: readonly Place[]): bigint {
  return places.reduce((size, { radix }) => size * BigInt(radix), 1n)
}

function numberOf(places: readonly Place[]): bigint {
  return places.reduce((value, { digit, radix }) => value * BigInt(radix) + BigInt(digit), 0n)
}

function digitsOf(value: bigint, places: readonly Place[]): readonly number[] {
  let rest = value
  return [...places]
    .reverse()
    .map(({ radix }) => {
      const digit = Number(rest % BigInt(radix))
      rest /= BigInt(radix)
      return digit
    })
    .reverse()
}
