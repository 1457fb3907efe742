import { createHash, createHmac } from 'node:crypto'

/** A line of a known_hosts file: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
interface KnownHost {
  readonly marker: string | undefined
  readonly hosts: string
  readonly type: string
  /** The key as it goes over the wire, in base64. */
  readonly key: string
}

/** What a known_hosts file says about one host. */
export interface KnownKeys {
  readonly keys: readonly { readonly type: string; readonly key: string }[]
  /** Keys that no host may have any more, in base64. */
  readonly revoked: readonly string[]
}

/** The keys of a host. Certificate authorities are left out: host certificates are not verified here, plain keys are. */
export function knownKeys(file: string, host: string, port: number): KnownKeys {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
  const lines = file.split(/\r?\n/u).flatMap(parseLine)
  const ours = lines.filter(({ hosts }) => isFor(hosts, name))
  return {
    keys: ours.filter(({ marker }) => marker === undefined),
    revoked: ours.filter(({ marker }) => marker === '@revoked').map(({ key }) => key),
  }
}

function parseLine(line: string): KnownHost[] {
  const words = line.trim().split(/\s+/u)
  const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined
  const [hosts, type, key] = words
  if (hosts === undefined || hosts.startsWith('#') || type === undefined || key === undefined) return []
  return [{ marker, hosts, type, key }]
}

function isFor(hosts: string, name: string): boolean {
  if (hosts.startsWith('|1|')) return isHashOf(hosts, name)
  const patterns = hosts.toLowerCase().split(',')
  const matches = (pattern: string) => wildcards(pattern).test(name)
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

/** `|1|salt|hash`, as HashKnownHosts writes it. */
function isHashOf(hosts: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hosts.split('|')
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

function wildcards(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$+.()|[\]{}]/gu, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 'u')
}

/** `SHA256:…`, as `ssh-keygen -l` shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/u, '')}`
}

/** The type stands at the beginning of a key: `ssh-ed25519`. */
export function typeOf(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0)
  return key.subarray(4, 4 + Math.min(length, 64)).toString('latin1')
}
