import { FTPError } from 'basic-ftp'
import { HoldfastError, type ErrorCode } from '../../errors.js'
import { remoteError } from '../remote-errors.js'

/** By RFC 959. 550 is said of whatever cannot be done with a file, and means what its text says. */
const codes: Readonly<Record<number, ErrorCode>> = {
  421: 'storage.busy',
  425: 'storage.unreachable',
  426: 'storage.unreachable',
  430: 'storage.login-refused',
  450: 'storage.busy',
  452: 'storage.full',
  530: 'storage.login-refused',
  532: 'storage.denied',
  552: 'storage.full',
}

const texts: readonly (readonly [RegExp, ErrorCode])[] = [
  // The last is what proftpd says to MLST.
  [
    /no such (file|directory)|not found|does(n't| not) exist|not a directory|cannot be listed/iu,
    'storage.not-found',
  ],
  [/no space|quota|disk full/iu, 'storage.full'],
  [/permission|denied|not allowed|forbidden/iu, 'storage.denied'],
]

function answerOf(thrown: unknown): FTPError | undefined {
  const error = thrown instanceof HoldfastError ? thrown.cause : thrown
  return error instanceof FTPError ? error : undefined
}

/** Whether the server has refused it, and is still there. */
export function isRefusal(thrown: unknown): boolean {
  return (answerOf(thrown)?.code ?? 0) >= 500
}

/** Whether the server says that something has that name; not every one does. */
export function saysTaken(thrown: unknown): boolean {
  return /\bexists\b/iu.test(answerOf(thrown)?.message ?? '')
}

/** What a server's answer, or its silence, means. */
export function ftpError(thrown: unknown, doing: string): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  if (thrown instanceof FTPError) {
    const code = codes[thrown.code] ?? texts.find(([text]) => text.test(said))?.[1] ?? 'storage.failed'
    return remoteError({ thrown, doing, code })
  }
  // The library's own errors, of sockets that were closed or silent, have no code.
  const silent = /timeout|closed|FIN packet/iu.test(said)
  return remoteError({ thrown, doing, ...(silent ? { code: 'storage.unreachable' as const } : {}) })
}

/** Why no login came about. */
export function loginError(thrown: unknown, place: string): HoldfastError {
  const doing = `cannot log in to ftp ${place}`
  const { code = 0, message: said = '' } = answerOf(thrown) ?? {}
  if ([331, 430, 530].includes(code))
    return new HoldfastError('storage.login-refused', `${doing}: ${said}`, { cause: thrown })
  // AUTH TLS is not known there.
  if ([500, 502, 504, 534].includes(code))
    return new HoldfastError('storage.untrusted', `${doing}: the server offers no TLS (${said})`, {
      cause: thrown,
      hint: "tls: 'none' sends the password and the backups in the clear, where everybody on the way can read them",
    })
  return ftpError(thrown, doing)
}
