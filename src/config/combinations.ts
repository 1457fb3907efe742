import type { ConnectorFactory, ConnectorOptions } from '../engine/connector.js'
import type { Engine } from '../engine/engine.js'
import { HoldfastError } from '../errors.js'

/** What one database is asked for, wherever each setting came from. */
export interface Combination {
  readonly engine: Engine
  readonly connector: ConnectorFactory
  readonly exclude: readonly string[]
  readonly excludeData: readonly string[]
  readonly schemas: readonly string[]
  readonly options: ConnectorOptions
  readonly alsoPortable: boolean
  /** See {@link DatabaseSettings.given}. */
  readonly given: readonly string[]
}

const cannot = {
  exclude: 'leave out tables',
  excludeData: 'leave out the rows of tables',
  schemas: 'select schemas',
} as const

/**
 * Refuses what cannot be done together, before anything starts.
 * @param named a setting with where it came from: `databases.shop.exclude (holdfast.config.ts)`, `--exclude`
 * @throws usage.not-supported, naming both settings
 */
export function refuseImpossible(asked: Combination, named: (setting: string) => string): void {
  const { engine, connector, options } = asked
  if (asked.alsoPortable && engine.rows === undefined)
    throw impossible(named('alsoPortable'), named('engine'), `${engine.name} has no portable dumps`)
  if (asked.schemas.length > 0 && !engine.capabilities.schemas)
    throw impossible(named('schemas'), named('engine'), `${engine.name} has no schemas`)
  for (const setting of ['exclude', 'excludeData', 'schemas'] as const) {
    if (asked[setting].length === 0 || connector.capabilities[setting]) continue
    throw impossible(
      named(setting),
      named('connector'),
      `the connector ${connector.name} cannot ${cannot[setting]}`,
      ', or choose another connector',
    )
  }
  for (const setting of asked.given) {
    const why = unusedBy(connector, setting)
    if (why === undefined) continue
    throw impossible(
      named(setting),
      named('connector'),
      `the connector ${connector.name} has no use for it: ${why}`,
    )
  }
  const { jobs = 1, singleTransaction } = options
  if (jobs === 1) return
  if (singleTransaction === true)
    throw impossible(named('jobs'), named('singleTransaction'), 'one transaction has one connection')
  if (connector.capabilities.parallel !== true) {
    throw impossible(
      named('jobs'),
      named('connector'),
      `the connector ${connector.name} works with one connection`,
    )
  }
}

/** Why a connector has no use for a setting; those of `backup` are meant as well. `undefined` where it has one. */
export function unusedBy({ capabilities }: ConnectorFactory, setting: string): string | undefined {
  return capabilities.unused?.[setting.replace(/^backup\./u, '')]
}

function impossible(setting: string, other: string, why: string, orElse = ''): HoldfastError {
  return new HoldfastError('usage.not-supported', `${setting} does not go with ${other}: ${why}`, {
    hint: `leave ${setting.replace(/ \(.*\)$/u, '')} out${orElse}`,
  })
}
