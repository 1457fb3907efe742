import { asHoldfastError, HoldfastError, type ErrorCode, type HoldfastErrorOptions } from '../../errors.js'
import { redact } from '../../env/secret.js'
import { placeOf, type Connection } from './connection.js'

/** SQLSTATEs that have a code of their own: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const states: Readonly<Record<string, ErrorCode>> = {
  '28P01': 'database.login-refused',
  '28000': 'database.login-refused',
  '3D000': 'database.not-found',
  '42501': 'database.denied',
  '55006': 'database.busy',
  '55P03': 'database.busy',
  '53300': 'database.unreachable',
  '57P01': 'database.unreachable',
  '57P02': 'database.unreachable',
  '57P03': 'database.unreachable',
}

/** An error of the driver as one of Holdfast's, naming the server, never with the password. */
export function databaseFailure(thrown: unknown, connection: Connection): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const place = placeOf(connection)
  const state = stateOf(thrown)
  const said = redact(messageOf(thrown), connection.password === undefined ? [] : [connection.password])
  const options: HoldfastErrorOptions = {
    cause: thrown,
    ...(state === undefined ? {} : { details: { state } }),
  }
  if (state !== undefined) {
    const code = states[state] ?? (state.startsWith('08') ? 'database.unreachable' : 'database.query-failed')
    return new HoldfastError(code, `${place}: ${said}`, options)
  }
  // The driver's words for a password that is asked for and missing: https://github.com/brianc/node-postgres/issues/1508
  if (/client password must be/iu.test(said)) {
    return new HoldfastError(
      'database.login-refused',
      `${place} asks for a password for ${connection.user}, and there is none`,
      { ...options, hint: 'configure the password, or put it in the password file that PGPASSFILE names' },
    )
  }
  return new HoldfastError('database.unreachable', `${place} cannot be reached: ${said}`, options)
}

/** Five characters where the server itself has answered; Node's own codes (`ECONNREFUSED`) are longer. */
export function stateOf(thrown: unknown): string | undefined {
  const code = (thrown as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/u.test(code) ? code : undefined
}

function messageOf(thrown: unknown): string {
  // Node gives one error for all addresses of a name, with an empty message.
  if (thrown instanceof AggregateError) return thrown.errors.map(messageOf).join('; ')
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** What PostgreSQL's tools say, and what helps. */
const hints: readonly (readonly [said: RegExp, hint: string])[] = [
  [
    /out of shared memory|max_locks_per_transaction/u,
    'raise max_locks_per_transaction on the server, or restore with --clean database, which needs no such transaction',
  ],
  [/row-level security/u, 'dump as the owner of the table or as a role with BYPASSRLS'],
  [
    /invalid memory alloc request size/u,
    'a value of more than 512 MB does not fit into the text of a dump, which no version of pg_dump can write otherwise: leave the rows of its table out with --exclude-data and save them with COPY … WITH (FORMAT binary), or keep such values as large objects',
  ],
  [
    /permission denied to create extension|must be owner of extension/u,
    'use the connector pg-dump-gis, which makes extensions with the account of adminUser and adminPassword',
  ],
  [
    /invalid snapshot identifier/u,
    'the connections of one backup reach several servers: name one of them, or set fingerprint to none',
  ],
  [/lock timeout|statement timeout/u, 'another session holds a lock on the table: wait for it, or end it'],
  [/role "[^"]*" does not exist/u, 'create the role, or restore with noOwner and noPrivileges'],
  [
    /must be owner of|must be member of role|must be able to SET ROLE/u,
    'restore as the owner or with noOwner',
  ],
  [
    /other objects depend on it|is an identity column/u,
    'something at the target that the dump does not replace stands in the way: drop it, or, where all of the backup is to be restored, use --clean database',
  ],
  [
    /already exists/u,
    'the target has an object of that name which the dump does not drop: choose an empty target, or --clean database',
  ],
]

/** A failure of a PostgreSQL tool with what else it said that helps; other errors as they are. */
export function explainedFailure(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return asHoldfastError(thrown)
  if (!(thrown instanceof HoldfastError) || thrown.code !== 'tool.failed') return thrown
  const { messages } = thrown.details
  const lines = Array.isArray(messages) ? messages.map(String) : []
  // Names the table that a failed query was about.
  const detail = lines.map((line) => /detail: (.*)$/u.exec(line)?.[1]).find((text) => text !== undefined)
  const hint = hints.find(([said]) => said.test([thrown.message, ...lines].join('\n')))?.[1] ?? thrown.hint
  const message = detail === undefined ? thrown.message : `${thrown.message} (${detail})`
  return new HoldfastError(thrown.code, message, { cause: thrown.cause, hint, details: thrown.details })
}
