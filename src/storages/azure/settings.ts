import { z } from 'zod'
import { HoldfastError } from '../../errors.js'
import { durationText, secretText } from '../settings.js'
import { parseStorageUrl } from '../url.js'

/** The settings of `{ driver: 'azure', container: 'backups', account: '…', accountKey: '…' }`. */
export const azureSettings = z.strictObject({
  container: z.string().min(1, 'is empty'),
  account: z.string().min(1).optional(),
  accountKey: secretText.optional(),
  /** A shared access signature for the account or container, with or without its `?`. */
  sasToken: secretText.optional(),
  /** Default where nothing else is given: AZURE_STORAGE_CONNECTION_STRING. */
  connectionString: secretText.optional(),
  /** Default: `https://ACCOUNT.blob.core.windows.net`. */
  endpoint: z.url({ protocol: /^https?$/u, error: 'is not an http or https URL' }).optional(),
  /** `Cool`, `Cold`, `Archive`; the account's own where absent. */
  tier: z.string().min(1).optional(),
  /** How long artifacts and manifests can be neither deleted nor replaced: `30d`. Needs version-level immutability. */
  immutableFor: durationText.optional(),
  /** `unlocked` lets a privileged account shorten it. Default: `locked`, which lets nobody. */
  immutableMode: z.enum(['locked', 'unlocked']).optional(),
})

export type AzureSettings = z.infer<typeof azureSettings>

/** `azure://container/prefix?account=name` */
export function parseAzureUrl(text: string): Readonly<Record<string, unknown>> {
  const { host, path, port, user, parameters } = parseStorageUrl(text)
  if (host === '' || port !== undefined || user !== undefined) {
    throw new HoldfastError(
      'config.invalid',
      'azure:// takes a container, a prefix and an account: azure://container/prefix?account=name',
    )
  }
  const prefix = path.replace(/^\/+|\/+$/gu, '')
  return { container: host, ...(prefix === '' ? {} : { prefix }), ...parameters }
}
