import { parseCompress } from '../config/compress.js'
import { HoldfastError } from '../errors.js'
import type { Stage, StageKind } from '../stages/stage.js'
import type { Workspace } from './workspace.js'

export interface Compression {
  readonly kind: StageKind
  readonly stage: Stage
}

/** @param compress as it is asked for. @throws config.invalid */
export function askedCompression(
  { registry, keys }: Workspace,
  compress: string | undefined,
): Compression | undefined {
  const [asked] = parseCompress(compress ?? 'none', registry)
  return asked && { kind: asked.kind, stage: asked.kind.create(asked.settings, keys) }
}

/**
 * For a file, whose name says how it is compressed.
 * @throws usage.invalid where another compression is asked for, or the name's ending is none
 */
export function namedCompression(
  workspace: Workspace,
  compress: string | undefined,
  file: string,
): Compression | undefined {
  const kinds = workspace.registry.stages.filter(({ role }) => role === 'compress')
  const ending = /\.ndjson(\.\w+)?$/u.exec(file)?.[1]
  const named = kinds.find(({ extension }) => extension === ending)
  if (ending !== undefined && named === undefined)
    throw new HoldfastError('usage.invalid', `${file} ends in ${ending}, which is no compression`, {
      hint: `name a file that ends in ${['', ...kinds.map(({ extension }) => extension)].map((each) => `.ndjson${each}`).join(' or ')}`,
    })
  const asked = askedCompression(workspace, compress)
  if (compress !== undefined && asked?.kind !== named)
    throw new HoldfastError(
      'usage.invalid',
      `compress is ${compress}, and the name ${file} says ${named?.id ?? 'none'}`,
      { hint: 'the name is enough: leave compress out, or have the two say the same' },
    )
  return asked ?? (named && { kind: named, stage: named.create({}, workspace.keys) })
}
