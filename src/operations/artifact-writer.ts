import type { Duplex, Readable } from 'node:stream'
import type { ManifestPart } from '../catalog/manifest.js'
import type { DumpFormat, DumpPart } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { Stage } from '../stages/stage.js'
import { connectTo } from '../streams/connect.js'
import { measuring, type Measure, type Observer } from '../streams/measure.js'
import { paced } from './limits.js'
import type { PartsProgress } from './parts-progress.js'

export interface EncodedPart {
  readonly plain: Measure
  readonly stages: ManifestPart['stages']
  readonly stored: Measure
}

/**
 * Sends one part of a dump through the stages to a destination. The destination sees a clean end only when the dump was not
 * empty and its format's own structure was whole.
 */
export async function writeArtifact(
  cx: Context,
  part: DumpPart,
  format: DumpFormat,
  stages: readonly Stage[],
  progress: PartsProgress,
  destination: (bytes: Readable) => Promise<unknown>,
): Promise<EncodedPart> {
  const plain = measuring(notEmpty(part), structure(format, part.role), progress.observer(part.name))
  const stored = measuring()
  const encoders = stages.map((stage) => ({ id: stage.id, ...withFacts(stage, cx) }))
  const through: Duplex[] = [...encoders.map((encoder) => encoder.through)]
  await connectTo(
    [part.bytes, ...paced(cx), plain.through, ...through, stored.through],
    destination,
    cx.signal,
  )
  return {
    plain: plain.result(),
    stages: encoders.map(({ id, facts }) => ({ id, facts: facts() })),
    stored: stored.result(),
  }
}

function withFacts(stage: Stage, cx: Context) {
  const encoding = stage.encode(cx)
  return { through: encoding.through, facts: () => encoding.facts() }
}

function notEmpty({ name, mayBeEmpty = false }: DumpPart): Observer {
  return {
    end({ bytes }) {
      if (bytes === 0 && !mayBeEmpty)
        throw new HoldfastError('integrity.empty', `the dump (${name}) is empty`)
    },
  }
}

function structure(format: DumpFormat, role: DumpPart['role']): Observer {
  // We write it ourselves, with seals of its own.
  if (role === 'portable') return {}
  const checker = format.checker(role)
  return { push: (chunk) => checker.push(chunk), end: () => checker.end() }
}
