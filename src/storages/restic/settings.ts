import { z } from 'zod'
import { HoldfastError } from '../../errors.js'
import { secretText } from '../settings.js'
import { parseStorageUrl } from '../url.js'

const filled = z.string().min(1)

/** The settings of `{ driver: 'restic', repository: '/srv/restic', password: … }`. */
export const resticSettings = z.strictObject({
  /** As restic names it: a folder, relative to the configuration file; `sftp:…`, `s3:…`, `rest:…`. It is made where it is not there. */
  repository: filled,
  /** Default: what restic finds by itself, in its environment. */
  password: secretText.optional(),
  /** Of restic's own, for repositories of format 2. */
  compression: z.enum(['auto', 'off', 'max']).default('auto'),
  /** Default: restic's own. */
  cacheDirectory: filled.optional(),
  /** The program. */
  program: filled.default('restic'),
})

export type ResticSettings = z.output<typeof resticSettings>

/** `restic:///srv/restic`: a folder. Other repositories have names of their own, which are no URLs. */
export function parseResticUrl(text: string): Readonly<Record<string, unknown>> {
  const { host, port, user, path, parameters } = parseStorageUrl(text)
  if (host !== '' || port !== undefined || user !== undefined || path === '')
    throw new HoldfastError('config.invalid', `restic:// names a folder: restic:///srv/backups`, {
      hint: "give any other repository as { driver: 'restic', repository: 'sftp:…' }",
    })
  return { repository: path, ...parameters }
}
