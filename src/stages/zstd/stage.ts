import { HoldfastError } from '../../errors.js'
import type { StageKind } from '../stage.js'
import { jobsAtOnce } from '../jobs.js'
import { PlainLength } from '../plain-length.js'
import { transforming } from '../transforming.js'
import { decodeZstd } from './decode.js'
import { encodeZstd } from './encode.js'
import { startsWithFrame } from './frames.js'

export interface ZstdSettings {
  /** 1 (fast) to 19 (small); default {@link defaultZstdLevel}. The higher the level, the more memory: {@link jobBytes}. */
  readonly level?: number
}

export const defaultZstdLevel = 3
const maxLevel = 19

/** The most that a frame on its way takes: its bytes before and after, and what the level works with. Measured, on Linux. */
function jobBytes(level: number): number {
  const mebibytes = level <= 5 ? 16 : level <= 11 ? 32 : level <= 15 ? 64 : 96
  return mebibytes * 1024 * 1024
}

/**
 * Zstandard. The output is frames one after another, each with a checksum, which `zstd -d` reads as one file. Decodes any zstd file
 * with a window of up to 128 MiB that needs no dictionary.
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
      jobBytes: jobBytes(level),
      encode(cx) {
        const length = new PlainLength()
        const jobs = jobsAtOnce(cx, jobBytes(level))
        const through = transforming((source) => encodeZstd(length.count(source), level, jobs))
        return { through, facts: () => length.facts() }
      },
      decode: (cx, facts) => transforming((source, signal) => decodeZstd({ ...cx, signal }, source, facts)),
    }
  },
}
