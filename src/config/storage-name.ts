import { withoutCredentials } from '../env/redaction.js'

/**
 * The name of a storage that is chosen by its name or place: the text itself, without a password that a URL holds, since names are
 * shown.
 */
export function storageName(chosen: string): string {
  return withoutCredentials(chosen)
}
