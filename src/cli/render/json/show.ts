import type { Manifest } from '../../../catalog/manifest.js'
import type { StoredBackup } from '../../../operations/reports.js'
import type { JsonBody, JsonField } from './document.js'
import { lastDrillField, type LastDrillDocument } from './stored-backup.js'

/** `holdfast show --json`: the storage and the manifest as it is stored there; docs/format.md describes its fields. */
export type ShowDocument = {
  readonly storage: string
  /** `unchecked` where no key of `sign` is configured; `foreign` where the key is not among them. */
  readonly signature: 'none' | 'unchecked' | 'valid' | 'invalid' | 'foreign'
  readonly manifest: Manifest
  readonly lastDrill?: LastDrillDocument
}

export function showDocument({ storage, signature = 'none', manifest, lastDrill }: StoredBackup): JsonBody {
  // A manifest is JSON already; only its type is written as an interface.
  return {
    storage,
    signature,
    manifest: manifest as unknown as JsonField,
    ...lastDrillField(lastDrill),
  }
}
