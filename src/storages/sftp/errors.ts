import { HoldfastError, type ErrorCode } from '../../errors.js'
import { systemCode } from '../local/errors.js'

/** SSH_FXP_STATUS, draft-ietf-secsh-filexfer-02, section 7. */
export const status = {
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
}

const codes: Readonly<Record<number, ErrorCode>> = {
  [status.noSuchFile]: 'storage.not-found',
  [status.permissionDenied]: 'storage.denied',
  [status.noConnection]: 'storage.unreachable',
  [status.connectionLost]: 'storage.unreachable',
}

export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number'
    ? thrown.code
    : undefined
}

/**
 * What a server's answer means.
 * @param doing what was tried: `cannot write shop/app.dump in sftp backup@host/srv`
 */
export function sftpError(thrown: unknown, doing: string): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const code = codes[statusOf(thrown) ?? -1] ?? 'storage.failed'
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  const text = said === 'Failure' ? 'the server says no more than failure' : said.toLowerCase()
  return new HoldfastError(code, `${doing}: ${text}`, { cause: thrown })
}

/** Why no connection came about. */
export function connectError(thrown: Error, where: string, methods: readonly string[]): HoldfastError {
  const level = 'level' in thrown ? thrown.level : undefined
  if (level === 'client-authentication') {
    const tried =
      methods.length === 0 ? 'no key, agent or password is configured' : `tried: ${methods.join(', ')}`
    return new HoldfastError('storage.login-refused', `${where} refuses the login; ${tried}`, {
      cause: thrown,
      hint: 'check user and key; without settings, the agent and the keys in ~/.ssh that need no passphrase are tried',
    })
  }
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ENOTFOUND: 'the name is not known',
    EAI_AGAIN: 'the name cannot be looked up now',
    ECONNRESET: 'the connection was reset',
  }
  const said = known[systemCode(thrown) ?? ''] ?? thrown.message.toLowerCase()
  return new HoldfastError('storage.unreachable', `cannot reach ${where}: ${said}`, { cause: thrown })
}

export function lostError(where: string, cause?: unknown): HoldfastError {
  return new HoldfastError('storage.unreachable', `the connection to ${where} broke off`, { cause })
}
