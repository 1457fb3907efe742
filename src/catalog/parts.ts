import type { Manifest, ManifestPart } from './manifest.js'

/** What a restore is made of. */
export function nativeParts({ parts }: Pick<Manifest, 'parts'>): readonly ManifestPart[] {
  return parts.filter(({ role }) => role !== 'portable')
}

/** The portable dump beside the native one; absent where none was wanted, or it failed. */
export function portablePart({ parts }: Pick<Manifest, 'parts'>): ManifestPart | undefined {
  return parts.find(({ role }) => role === 'portable')
}
