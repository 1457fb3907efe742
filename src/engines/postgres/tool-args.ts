import type { ConnectorOptions } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'

/** A family of pg_dump's options that a setting or the connector itself decides. */
interface Decided {
  readonly options: readonly string[]
  readonly by: string
  readonly why: string
}

const decided: readonly Decided[] = [
  { options: ['-j', '--jobs'], by: 'singleTransaction', why: 'one transaction has one connection' },
  { options: ['-F', '--format'], by: 'connector', why: 'the connector is of one format' },
  { options: ['-f', '--file'], by: 'connector', why: 'the dump is read from standard output' },
  { options: ['-d', '--dbname'], by: 'name', why: 'the database is named there' },
  { options: ['-h', '--host'], by: 'host', why: 'the server is named there' },
  { options: ['-p', '--port'], by: 'port', why: 'the server is named there' },
  { options: ['-U', '--username'], by: 'user', why: 'the user is named there' },
  {
    options: ['-W', '--password'],
    by: 'password',
    why: 'it is given in a private file, and nobody is asked',
  },
]

/** What psql would not restore into the target, or not read. */
const decidedInPlainSql: readonly Decided[] = [
  { options: ['-C', '--create'], by: 'connector', why: 'pg-dump restores into the database that is named' },
  {
    options: ['-Z', '--compress'],
    by: 'connector',
    why: 'pg-dump writes SQL; compress is what compresses it',
  },
]

/**
 * Refuses options that contradict each other, before anything starts.
 * @throws usage.invalid, naming both
 */
export function refuseContradictions(options: ConnectorOptions, plain: boolean): void {
  if (options.ifExists === true && options.drop === false)
    throw contradiction('ifExists', 'drop: false', 'only statements that drop have IF EXISTS')
  const { toolArgs = [] } = options
  for (const argument of toolArgs) {
    for (const { options: names, by, why } of [...decided, ...(plain ? decidedInPlainSql : [])]) {
      const [short = '', long = ''] = names
      if (!isOption(argument, short, long)) continue
      const setting = by === 'singleTransaction' && options.singleTransaction === false ? 'connector' : by
      const because = setting === by ? why : 'the dump is one stream, of one connection'
      throw contradiction(`toolArgs ${argument}`, setting, because)
    }
  }
}

/** `-j4`, `-j`, `--jobs=4`, `--jobs`. */
function isOption(argument: string, short: string, long: string): boolean {
  if (argument.startsWith('--')) {
    const [name = ''] = argument.split('=')
    return name === long
  }
  return argument.startsWith(short)
}

function contradiction(setting: string, other: string, why: string): HoldfastError {
  return new HoldfastError('usage.invalid', `${setting} does not go with ${other}: ${why}`, {
    hint: `leave ${setting} out`,
    details: { settings: [setting, other] },
  })
}
