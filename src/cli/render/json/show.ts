import type { Manifest } from '../../../catalog/manifest.js'
import type { StoredBackup } from '../../../operations/reports.js'
import type { JsonBody, JsonField } from './document.js'

/** `holdfast show --json`: the storage and the manifest as it is stored there; docs/format.md describes its fields. */
export type ShowDocument = { readonly storage: string; readonly manifest: Manifest }

export function showDocument({ storage, manifest }: ShowDocument & StoredBackup): JsonBody {
  // A manifest is JSON already; only its type is written as an interface.
  return { storage, manifest: manifest as unknown as JsonField }
}
