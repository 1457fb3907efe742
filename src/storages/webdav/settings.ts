import { z } from 'zod'
import { HoldfastError } from '../../errors.js'
import { secretText } from '../settings.js'
import { parseStorageUrl } from '../url.js'

/** The settings of `{ driver: 'webdav', url: 'https://cloud.example.com/remote.php/dav/files/shop/backups', user: 'shop', … }`. */
export const webdavSettings = z.strictObject({
  /** The folder that holds the objects; it is made where it is not there. */
  url: z.url({ protocol: /^https?$/u, error: 'is not an http or https URL' }),
  user: z.string().min(1).optional(),
  password: secretText.optional(),
  /** Sent as `Authorization: Bearer`, in place of user and password. */
  token: secretText.optional(),
  /** A file of certificates to trust beside the usual ones, in PEM; relative to the configuration file. */
  ca: z.string().min(1).optional(),
})

export type WebdavSettings = z.infer<typeof webdavSettings>

/** `webdavs://user@host/path` over TLS, `webdav://host/path` without. */
export function parseWebdavUrl(text: string): Readonly<Record<string, unknown>> {
  const { scheme, host, port, user, password, path, parameters } = parseStorageUrl(text)
  if (host === '') throw new HoldfastError('config.invalid', `${scheme}:// names no host`)
  const place = path.split('/').map(encodeURIComponent).join('/')
  const at = `${host}${port === undefined ? '' : `:${port}`}`
  return {
    url: `${scheme.endsWith('s') ? 'https' : 'http'}://${at}${place}`,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...parameters,
  }
}
