import type { Secret } from '../../env/secret.js'

/** The settings of the `sftp` driver, checked. */
export interface SftpSettings {
  readonly host: string
  readonly port: number
  readonly user?: string
  /** Absolute, or relative to the folder that a login begins in. */
  readonly path: string
  readonly password?: Secret
  /** The key itself, in the format of OpenSSH or in PEM. */
  readonly privateKey?: Secret
  /** The path of a file with a private key. */
  readonly privateKeyFile?: string
  readonly passphrase?: Secret
  /** The path of an agent's socket. Default: `SSH_AUTH_SOCK`; `false` asks none. */
  readonly agent?: string | false
  /** Fingerprints (`SHA256:…`) or public keys of the host; then no known_hosts file is read. */
  readonly hostKey?: readonly string[]
  /** Default `~/.ssh/known_hosts`. */
  readonly knownHosts?: string
}
