import { HoldfastError } from '../errors.js'
import type { Registry, StageSettings } from './settings.js'

/** The compression stages of a setting such as `zstd`, `zstd:3`, `gzip:9` or `none`. @throws config.invalid */
export function parseCompress(text: string, registry: Registry): readonly StageSettings[] {
  if (text === 'none') return []
  const [id = '', level, ...rest] = text.split(':')
  const kinds = registry.stages.filter(({ role }) => role === 'compress')
  const kind = kinds.find((candidate) => candidate.id === id)
  if (kind === undefined || rest.length > 0 || (level !== undefined && !/^\d{1,2}$/u.test(level))) {
    const known = kinds.map((each) => `${each.id}[:level]`).join(', ')
    throw new HoldfastError('config.invalid', `compress is ${text}; it can be ${known} or none`)
  }
  return [{ kind, settings: level === undefined ? {} : { level: Number(level) } }]
}
