/** A logical type taken apart: `numeric(12,2)[]` is an array of `numeric` with the arguments 12 and 2. */
export interface TypeParts {
  readonly base: string
  readonly args: readonly number[]
  readonly array: boolean
}

export function typeParts(type: string): TypeParts {
  const array = type.endsWith('[]')
  const found = /^([a-z0-9]+)(?:\((\d+(?:,-?\d+)*)\))?$/u.exec(array ? type.slice(0, -2) : type)
  return { base: found?.[1] ?? type, args: found?.[2]?.split(',').map(Number) ?? [], array }
}

/** The smallest and the largest value of each integer type. */
export const integerRanges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  i8: [-(2n ** 7n), 2n ** 7n - 1n],
  i16: [-(2n ** 15n), 2n ** 15n - 1n],
  i24: [-(2n ** 23n), 2n ** 23n - 1n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  u8: [0n, 2n ** 8n - 1n],
  u16: [0n, 2n ** 16n - 1n],
  u24: [0n, 2n ** 24n - 1n],
  u32: [0n, 2n ** 32n - 1n],
  u64: [0n, 2n ** 64n - 1n],
}
