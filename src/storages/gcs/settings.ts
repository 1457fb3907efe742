import { z } from 'zod'
import { HoldfastError } from '../../errors.js'
import { durationText, flag, secretText } from '../settings.js'
import { parseStorageUrl } from '../url.js'

/** The settings of `{ driver: 'gcs', bucket: 'backups' }`. */
export const gcsSettings = z.strictObject({
  bucket: z.string().min(1, 'is empty'),
  /** The JSON file of a service account; the usual chain of credentials where neither is given. */
  keyFile: z.string().min(1).optional(),
  /** The content of such a file. */
  credentials: secretText.optional(),
  /** Of an emulator, or a private endpoint. */
  endpoint: z.url({ protocol: /^https?$/u, error: 'is not an http or https URL' }).optional(),
  /** No credentials are sent: for an emulator. */
  anonymous: flag.optional(),
  /** `NEARLINE`, `COLDLINE`, `ARCHIVE`; the bucket's own where absent. */
  storageClass: z.string().min(1).optional(),
  /** How long artifacts and manifests can be neither deleted nor replaced: `30d`. Needs a bucket with object retention. */
  immutableFor: durationText.optional(),
  /** `unlocked` lets a privileged account shorten it. Default: `locked`, which lets nobody. */
  immutableMode: z.enum(['locked', 'unlocked']).optional(),
})

export type GcsSettings = z.infer<typeof gcsSettings>

/** `gs://bucket/prefix` */
export function parseGcsUrl(text: string): Readonly<Record<string, unknown>> {
  const { host, path, port, user, parameters } = parseStorageUrl(text)
  if (host === '' || port !== undefined || user !== undefined)
    throw new HoldfastError('config.invalid', 'gs:// takes a bucket and a prefix: gs://bucket/prefix')
  const prefix = path.replace(/^\/+|\/+$/gu, '')
  return { bucket: host, ...(prefix === '' ? {} : { prefix }), ...parameters }
}
