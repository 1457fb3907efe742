import { HoldfastError } from '../../errors.js'
import type { StageKind } from '../stage.js'
import { PlainLength } from '../plain-length.js'
import { transforming } from '../transforming.js'
import { decodeZstd } from './decode.js'
import { encodeZstd } from './encode.js'
import { startsWithFrame } from './frames.js'

export interface ZstdSettings {
  /** 1 (fast) to 19 (small); default {@link defaultZstdLevel}. From 12 on each core in use needs 30 to 80 MB of memory. */
  readonly level?: number
}

export const defaultZstdLevel = 3
const maxLevel = 19

/**
 * Zstandard. The output is frames of 4 MiB of input one after another, each with its checksum, which `zstd -d` reads as one
 * file. Decodes any zstd file with a window of up to 128 MiB that needs no dictionary.
 */
export const zstd: StageKind<ZstdSettings> = {
  id: 'zstd',
  role: 'compress',
  extension: '.zst',
  recognises: startsWithFrame,
  create(settings) {
    const level = settings?.level ?? defaultZstdLevel
    if (!Number.isInteger(level) || level < 1 || level > maxLevel)
      throw new HoldfastError(
        'config.invalid',
        `the zstd level ${level} is not a whole number from 1 to ${maxLevel}`,
      )
    return {
      id: zstd.id,
      encode(cx) {
        const length = new PlainLength()
        const through = transforming((source) => encodeZstd(length.count(source), level, cx.env.cores))
        return { through, facts: () => length.facts() }
      },
      decode: (cx, facts) => transforming((source, signal) => decodeZstd({ ...cx, signal }, source, facts)),
    }
  },
}
