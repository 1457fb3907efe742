import { HoldfastError, type ErrorCode } from '../../errors.js'

/** What restic says on stderr: it ends with status 1 for nearly everything. */
const texts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/is there a repository at the following location|repository does not exist/iu, 'storage.not-found'],
  [/wrong password|no key found/iu, 'storage.login-refused'],
  [/already locked/iu, 'storage.busy'],
  [/no space left|quota/iu, 'storage.full'],
  [/permission denied|access denied|forbidden/iu, 'storage.denied'],
  [
    /connection (refused|reset)|no such host|i\/o timeout|(network|host) is (unreachable|down)/iu,
    'storage.unreachable',
  ],
]

/**
 * What went wrong with restic; that it is not installed as it is.
 * @param doing what was tried: `cannot write shop/app.dump in restic /srv/restic`
 */
export function resticError(thrown: unknown, doing: string): unknown {
  if (!(thrown instanceof HoldfastError) || thrown.code !== 'tool.failed') return thrown
  const { messages } = thrown.details
  const said = Array.isArray(messages) ? messages.join(' ') : thrown.message
  const code = texts.find(([text]) => text.test(said))?.[1] ?? 'storage.failed'
  const passing = code === 'storage.failed' ? { details: { passing: false } } : {}
  return new HoldfastError(code, `${doing}: ${said.replace(/\s+/gu, ' ').replace(/^Fatal: /u, '')}`, {
    cause: thrown,
    ...passing,
  })
}
