import { z } from 'zod'
import { flag, secretText, wholeNumber } from '../settings.js'

const filled = z.string().min(1)

/** The settings of `{ driver: 'ftp', host: 'ftp.example.com', user: 'shop', password: …, path: '/backups' }`. */
export const ftpSettings = z.strictObject({
  host: filled,
  port: wholeNumber.optional(),
  user: filled.default('anonymous'),
  password: secretText.optional(),
  /** Absolute, or relative to the folder that a login begins in. */
  path: filled,
  /** `explicit` (AUTH TLS, RFC 4217), `implicit`, or `none`: then everybody on the way reads password and backups. */
  tls: z.enum(['explicit', 'implicit', 'none']).default('explicit'),
  /** A file of certificates to trust beside the usual ones, in PEM; relative to the configuration file. */
  ca: filled.optional(),
  /** Allows the data to come from another host than the one that was logged in to. */
  otherDataHost: flag.optional(),
})

export type FtpSettings = z.output<typeof ftpSettings>
