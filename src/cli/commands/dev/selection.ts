import { HoldfastError } from '../../../errors.js'
import type { CommandLine } from '../../command.js'
import { text } from '../../flags.js'
import { askYesNo, canAsk } from '../../prompt.js'

/** Which server a command means. */
export interface ServerFlags {
  readonly engine?: string
  readonly name?: string
}

export const serverFlags = {
  engine: text(
    'ENGINE',
    'postgresql, postgis, mariadb, mysql, mongodb, sqlite, or your own  [default: the only one]',
  ),
  name: text('NAME', 'one of several servers, such as the name of a branch  [default: main]'),
} as const

export const portFlag = {
  kind: 'parsed',
  parse: parsePort,
  optional: true,
  brief: 'this port and no other  [default: one that is free, and stays its own]',
  placeholder: 'PORT',
} as const

function parsePort(given: string): number {
  const port = /^\d{1,5}$/u.test(given) ? Number(given) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new HoldfastError('usage.invalid', `${given} is not a port from 1 to 65535`)
}

export function selected(cli: CommandLine, { engine, name }: ServerFlags) {
  return {
    signal: cli.signal,
    ...(engine === undefined ? {} : { engine }),
    ...(name === undefined ? {} : { name }),
  }
}

/** @throws refused.not-confirmed */
export async function confirmLoss(
  cli: CommandLine,
  yes: boolean | undefined,
  question: string,
): Promise<void> {
  if (yes === true || (canAsk(cli) && (await askYesNo(cli, question)))) return
  throw new HoldfastError(
    'refused.not-confirmed',
    'nothing was changed: the loss of the data was not confirmed',
    {
      hint: 'answer yes, or pass --yes',
    },
  )
}
