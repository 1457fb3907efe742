import { HoldfastError } from '../../errors.js'
import { jobsAtOnce } from '../jobs.js'
import { PlainLength } from '../plain-length.js'
import type { StageKind } from '../stage.js'
import { transforming } from '../transforming.js'
import { decodeGzip } from './decode.js'
import { encodeGzip, jobBytes } from './encode.js'

export interface GzipSettings {
  /** 1 (fast) to 9 (small); default 6, as gzip's. */
  readonly level?: number
}

const defaultLevel = 6

/** gzip (RFC 1952). The output is members of about 1 MiB one after another, which `gunzip` and `zcat` read as one file. */
export const gzip: StageKind<GzipSettings> = {
  id: 'gzip',
  role: 'compress',
  extension: '.gz',
  recognises: (head) => head.length >= 3 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8,
  create(settings) {
    const level = settings?.level ?? defaultLevel
    if (!Number.isInteger(level) || level < 1 || level > 9)
      throw new HoldfastError('config.invalid', `the gzip level ${level} is not a whole number from 1 to 9`)
    return {
      id: gzip.id,
      jobBytes,
      encode(cx) {
        const length = new PlainLength()
        const jobs = jobsAtOnce(cx, jobBytes)
        const through = transforming((source) => encodeGzip(length.count(source), level, jobs))
        return { through, facts: () => length.facts() }
      },
      decode: (_cx, facts) => transforming((source, signal) => decodeGzip(source, facts, signal)),
    }
  },
}
