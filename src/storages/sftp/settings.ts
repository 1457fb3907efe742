import { z } from 'zod'
import { secretText, wholeNumber } from '../settings.js'

const filled = z.string().min(1)
const hostKey = z
  .string()
  .regex(
    /^(SHA256:[A-Za-z0-9+/]{43}|(ssh|ecdsa)-\S+ [A-Za-z0-9+/]+=*(\s.*)?)$/u,
    'is neither SHA256:… nor a public key',
  )

/** Files are relative to the configuration file; `~/` at their beginning is the home folder. */
export const sftpSettings = z.strictObject({
  host: filled,
  port: wholeNumber.default(22),
  /** Default: the name of whoever runs Holdfast. */
  user: filled.optional(),
  /** Absolute, or relative to the folder that a login begins in. */
  path: filled,
  password: secretText.optional(),
  /** The key itself, in the format of OpenSSH or in PEM. */
  privateKey: secretText.optional(),
  privateKeyFile: filled.optional(),
  passphrase: secretText.optional(),
  /** The path of an agent's socket; `false` asks none. Default: `SSH_AUTH_SOCK`, where no key and no password is given. */
  agent: z.union([filled, z.literal(false)]).optional(),
  /** Fingerprints (`SHA256:…`) or public keys of the host; then no known_hosts file is read. */
  hostKey: z.union([hostKey.transform((key) => [key]), z.array(hostKey).min(1)]).optional(),
  /** Default `~/.ssh/known_hosts`. */
  knownHosts: filled.optional(),
})

export type SftpSettings = z.output<typeof sftpSettings>
