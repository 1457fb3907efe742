import { HoldfastError } from '../../../errors.js'
import type { HoldfastDev } from '../../../holdfast-dev.js'
import type { DevConnection } from '../../../operations/dev-reports.js'
import type { DevSelection } from '../../../operations/requests.js'
import type { CommandLine } from '../../command.js'
import { declined } from '../../confirmation.js'
import { text } from '../../flags.js'
import { askYesNo, canAsk } from '../../prompt.js'
import { connectionDocument } from '../../render/json/dev.js'
import { renderConnection } from '../../render/text/dev.js'
import type { KeyFlags } from '../../keys.js'
import { withHoldfast, type SettingFlags } from '../../session.js'

/** Which server a command means. */
export interface ServerFlags {
  readonly engine?: string
  readonly name?: string
}

export interface PortFlags extends ServerFlags {
  readonly port?: number
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

/**
 * Works with the servers of the project, whatever databases it has.
 * @param work told which of them the flags mean
 */
export async function withDev(
  cli: CommandLine,
  { engine, name, port, ...settings }: PortFlags & SettingFlags & KeyFlags,
  work: (dev: HoldfastDev, which: DevSelection) => Promise<void>,
): Promise<void> {
  const which = {
    signal: cli.signal,
    ...(engine === undefined ? {} : { engine }),
    ...(name === undefined ? {} : { name }),
    ...(port === undefined ? {} : { port }),
  }
  await withHoldfast(cli, settings, ({ dev }) => work(dev, which), { databases: false })
}

export function showConnection(
  { reporter }: CommandLine,
  name: string,
  state: Parameters<typeof renderConnection>[0],
  connection: DevConnection,
): void {
  reporter.done(name, connectionDocument(connection), (style) => renderConnection(state, connection, style))
}

/** @throws refused.not-confirmed */
export async function confirmLoss(
  cli: CommandLine,
  { yes, engine = 'the server', name = '' }: ServerFlags & { readonly yes?: boolean },
  deed: 'Remove' | 'Replace',
): Promise<void> {
  if (yes === true) return
  if (canAsk(cli)) {
    if (await askYesNo(cli, `${deed} the data of ${engine} ${name}?`)) return
    throw declined(`not ${deed.toLowerCase()}d`)
  }
  throw new HoldfastError('refused.not-confirmed', 'nobody is there to confirm the loss of the data', {
    hint: 'pass --yes where there is no terminal',
  })
}
