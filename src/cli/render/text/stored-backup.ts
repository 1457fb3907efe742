import { nativeParts } from '../../../catalog/parts.js'
import type { StoredBackup } from '../../../operations/reports.js'

export function storedBytes({ manifest }: StoredBackup): number {
  return manifest.parts.reduce((sum, part) => sum + part.stored.bytes, 0)
}

/** Of the dump that a restore is made of. */
export function plainBytes({ manifest }: StoredBackup): number {
  return nativeParts(manifest).reduce((sum, part) => sum + part.plain.bytes, 0)
}

/** `zstd, age`; `none` for a plain dump. */
export function stagesOf({ manifest }: StoredBackup): string {
  const ids = new Set(manifest.parts.flatMap((part) => part.stages.map((stage) => stage.id)))
  return [...ids].join(', ') || 'none'
}
