import { HoldfastError, type ErrorCode } from '../../errors.js'

/** What restic says on stderr: before 0.17 it ends with status 1 for nearly everything. The first that fits counts. */
const texts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/wrong password|no key found/iu, 'storage.login-refused'],
  [/already locked/iu, 'storage.busy'],
  [/no space left|quota/iu, 'storage.full'],
  [/permission denied|access ?denied|forbidden/iu, 'storage.denied'],
  [
    // Its question whether there is a repository comes with these, too.
    /connection (refused|reset|timed out|closed)|broken pipe|no such host|name resolution|(i\/o|handshake) timeout|deadline exceeded|(network|host) is (unreachable|down)|no route to host|\b50[234]\b/iu,
    'storage.unreachable',
  ],
  [/already (exists|initialized)/iu, 'storage.exists'],
  [/no matching id found/iu, 'storage.not-found'],
]

const asksForRepository = /is there a repository at the following location|unable to open config file/iu
const isMissing = /no such file|(does|do) not exist|not found|nosuchkey|\b404\b/iu

/** Since 0.17. */
const statuses: Readonly<Record<number, ErrorCode>> = {
  10: 'storage.not-found',
  11: 'storage.busy',
  12: 'storage.login-refused',
}

/**
 * What went wrong with restic; that it is not installed as it is.
 * @param doing what was tried: `cannot write shop/app.dump in restic /srv/restic`
 */
export function resticError(thrown: unknown, doing: string): unknown {
  if (!(thrown instanceof HoldfastError) || thrown.code !== 'tool.failed') return thrown
  const { messages, status } = thrown.details
  const said = Array.isArray(messages) ? messages.join(' ') : thrown.message
  const known = statuses[Number(status)] ?? texts.find(([text]) => text.test(said))?.[1]
  const missing = Number(status) === 10 || (asksForRepository.test(said) && isMissing.test(said))
  const code = known ?? (missing ? 'storage.not-found' : 'storage.failed')
  const passing = code === 'storage.failed' ? { details: { passing: false } } : {}
  return new HoldfastError(code, `${doing}: ${said.replace(/\s+/gu, ' ').replace(/^Fatal: /u, '')}`, {
    cause: thrown,
    ...(code === 'storage.not-found' && missing ? { hint: noRepository } : {}),
    ...(isMixed.test(said) ? { hint: mixed } : {}),
    ...passing,
  })
}

/** What two `restic init` at once leave, each of which has written a part. */
const isMixed = /config or key .* is damaged/iu
const mixed =
  'perhaps two runs have made it at once: where it is new, remove all of it, and make it with `restic init`'

const noRepository =
  'the first backup makes the repository; look whether `repository` is the right one, or make it with ' +
  '`restic init -r REPOSITORY` and the same password'
