import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerHostKeyAlgorithm } from 'ssh2'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { isMissing, storageError } from '../local/errors.js'
import { fingerprintOf, knownKeys, typeOf, type KnownKeys } from './known-hosts.js'
import type { SftpSettings } from './settings.js'

/** How the key that a server shows is judged. */
export interface HostKeyCheck {
  /** The kinds of keys that are known come first, so that the server shows one of them. */
  readonly algorithms: readonly ServerHostKeyAlgorithm[]
  /** Undefined where the key is right. */
  judge(key: Buffer): HoldfastError | undefined
}

/** In the order of OpenSSH. */
const allAlgorithms: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/** Against the configured keys, or where there are none, against the known_hosts file. */
export async function hostKeyCheck(cx: Context, settings: SftpSettings): Promise<HostKeyCheck> {
  if (settings.hostKey !== undefined) return configuredCheck(settings, settings.hostKey)
  const file = settings.knownHosts ?? join(cx.env.homeDirectory, '.ssh', 'known_hosts')
  const known = await readKnown(file, settings)
  const keys = known.keys.map(({ key }) => Buffer.from(key, 'base64'))
  return {
    algorithms: preferred(keys.map(typeOf)),
    judge(key) {
      if (known.revoked.includes(key.toString('base64'))) return revoked(settings, key, file)
      if (keys.some((each) => each.equals(key))) return undefined
      return keys.length === 0 ? unknown(settings, key, file) : changed(settings, key, keys.map(shown), file)
    },
  }
}

/** `SHA256:…`, or a public key as `ssh-keyscan` and `.pub` files give it: `ssh-ed25519 AAAA…`. */
function configuredCheck(settings: SftpSettings, hostKeys: readonly string[]): HostKeyCheck {
  const types = hostKeys.flatMap((text) => (text.startsWith('SHA256:') ? [] : [text.split(/\s+/u)[0] ?? '']))
  const fingerprints = hostKeys.map((text) =>
    text.startsWith('SHA256:') ? text : fingerprintOf(Buffer.from(text.split(/\s+/u)[1] ?? '', 'base64')),
  )
  return {
    algorithms: preferred(types),
    judge: (key) =>
      fingerprints.includes(fingerprintOf(key))
        ? undefined
        : changed(settings, key, fingerprints, 'hostKey in the configuration'),
  }
}

async function readKnown(file: string, { host, port, knownHosts }: SftpSettings): Promise<KnownKeys> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    // Without a file of the user's, no host is known; one that the configuration names has to be there.
    if (isMissing(error) && knownHosts === undefined) return ''
    throw storageError(error, `cannot read ${file}`)
  })
  return knownKeys(text, host, port)
}

function preferred(types: readonly string[]): readonly ServerHostKeyAlgorithm[] {
  const isKnown = (algorithm: string) =>
    types.includes(algorithm) || (algorithm.startsWith('rsa-') && types.includes('ssh-rsa'))
  return [...allAlgorithms.filter(isKnown), ...allAlgorithms.filter((each) => !isKnown(each))]
}

function shown(key: Buffer): string {
  return `${typeOf(key)} ${fingerprintOf(key)}`
}

function named({ host, port }: SftpSettings): string {
  return port === 22 ? host : `${host} port ${port}`
}

function unknown(settings: SftpSettings, key: Buffer, file: string): HoldfastError {
  const name = named(settings)
  return new HoldfastError('storage.untrusted', `the host key of ${name} is not known: ${shown(key)}`, {
    hint: `compare it with what ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub says on the server; if it is the same, write hostKey: '${fingerprintOf(key)}' in the storage's settings, or add the host to ${file}`,
    details: { host: settings.host, port: settings.port, fingerprint: fingerprintOf(key) },
  })
}

function changed(
  settings: SftpSettings,
  key: Buffer,
  known: readonly string[],
  place: string,
): HoldfastError {
  const message = `the host key of ${named(settings)} is ${shown(key)}, and not the one in ${place}: ${known.join(', ')}`
  return new HoldfastError('storage.untrusted', message, {
    hint: 'another machine may have taken its place: ask who runs the server; if its key was changed for good, correct the known one',
    details: { host: settings.host, port: settings.port, fingerprint: fingerprintOf(key) },
  })
}

function revoked(settings: SftpSettings, key: Buffer, file: string): HoldfastError {
  return new HoldfastError(
    'storage.untrusted',
    `the host key of ${named(settings)} is revoked in ${file}: ${shown(key)}`,
    {
      details: { host: settings.host, port: settings.port, fingerprint: fingerprintOf(key) },
    },
  )
}
