import type { Duplex } from 'node:stream'
import type { Context } from '../../env/context.js'
import { nothingAround, type AroundRows } from './data-load.js'
import type { InheritedConstraint } from './partition-drops.js'
import { RestoredSql } from './restored-sql.js'
import { SqlFilter } from './sql-filter.js'
import { hasRestrict, type Version } from './version.js'

export const psqlArguments = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-']

/** What tools say to every server since a version, and servers older than that do not know. */
const unknownBefore: readonly (readonly [version: number, statement: string])[] = [
  [12, 'SET default_table_access_method = heap'],
  [17, 'SET transaction_timeout = 0'],
]

export interface SqlRestore {
  /** Of psql. */
  readonly client: Version
  /** Of the server. */
  readonly target: Version
  /** All or nothing; where the database itself is thrown away on failure, nothing needs it. */
  readonly oneTransaction: boolean
  /** Constraints of the target that the dump must not drop. */
  readonly inherited: readonly InheritedConstraint[]
  /** Statements before the dump and after it, in its transaction. */
  readonly around?: AroundRows
}

/** What a plain dump passes through on its way to psql. */
export function psqlInput(
  cx: Context,
  { client, target, oneTransaction, inherited, around = nothingAround }: SqlRestore,
  head?: Buffer,
): readonly [Duplex, ...Duplex[]] {
  const key = Buffer.from(cx.env.randomBytes(24)).toString('hex')
  // In this mode psql takes no meta-commands: a dump cannot have it run programs on this machine.
  const restrict = hasRestrict(client) ? `\\restrict ${key}\n` : ''
  // Not psql --single-transaction: it commits at the end of its input, also where that is a pipe that has broken.
  const [begin, commit] = oneTransaction ? ['START TRANSACTION;\n', '\nCOMMIT TRANSACTION;\n'] : ['', '']
  const written = (statements: readonly string[]) => statements.map((statement) => `${statement};\n`).join('')
  const unwanted = [
    // A plain dump has large objects in a transaction of their own, whose COMMIT would be that of all before it.
    ...(oneTransaction ? ['BEGIN', 'COMMIT'] : []),
    ...unknownBefore.flatMap(([version, statement]) => (target.major < version ? [statement] : [])),
    ...inherited.flatMap(({ drops }) => drops),
  ]
  return [
    new RestoredSql(restrict + begin + written(around.before), `\n${written(around.after)}${commit}`, head),
    ...(unwanted.length === 0 ? [] : [new SqlFilter(unwanted)]),
  ]
}

/** Whether pg_restore itself would say to the server what it does not understand. */
export function needsPsql(client: Version, target: Version): boolean {
  return unknownBefore.some(([version]) => client.major >= version && target.major < version)
}
