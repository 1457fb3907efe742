import type { ConnectorOptions, ToolSettings } from '../engine/connector.js'
import { HoldfastError } from '../errors.js'
import type { DatabaseConfig } from './config.js'
import { splitWords } from './split-words.js'

/** What command settings are read with, beside their text. */
export interface WordSurroundings {
  /** `databases.shop` */
  readonly prefix: string
  /** Where the configuration came from. */
  readonly origin: string
  readonly platform: NodeJS.Platform
}

/** The command settings of a database; a text is split as a shell would, but nothing is run by a shell. @throws config.invalid */
export function toolSettings(config: DatabaseConfig, around: WordSurroundings): ToolSettings {
  const command = (name: 'dumpCommand' | 'restoreCommand' | 'psqlCommand') => {
    const words = wordsOf(config, name, around)
    if (words === undefined) return {}
    if (words.length > 0 && words[0] !== '') return { [name]: words }
    throw new HoldfastError('config.invalid', `${around.prefix}.${name} (${around.origin}) names no program`)
  }
  return {
    ...command('dumpCommand'),
    ...command('restoreCommand'),
    ...command('psqlCommand'),
    dumpPrefix: wordsOf(config, 'dumpPrefix', around) ?? [],
    dumpSuffix: wordsOf(config, 'dumpSuffix', around) ?? [],
    restorePrefix: wordsOf(config, 'restorePrefix', around) ?? [],
    restoreSuffix: wordsOf(config, 'restoreSuffix', around) ?? [],
    env: config.env ?? {},
    dumpEnv: config.dumpEnv ?? {},
    restoreEnv: config.restoreEnv ?? {},
    inheritEnv: config.inheritEnv ?? true,
  }
}

/** Settings that connectors share. @throws config.invalid */
export function connectorOptions(config: DatabaseConfig, around: WordSurroundings): ConnectorOptions {
  const { singleTransaction, drop, ifExists, noOwner, noPrivileges, jobs } = config
  const toolArgs = wordsOf(config, 'toolArgs', around)
  return {
    ...(singleTransaction === undefined ? {} : { singleTransaction }),
    ...(drop === undefined ? {} : { drop }),
    ...(ifExists === undefined ? {} : { ifExists }),
    ...(noOwner === undefined ? {} : { noOwner }),
    ...(noPrivileges === undefined ? {} : { noPrivileges }),
    ...(toolArgs === undefined ? {} : { toolArgs }),
    ...(jobs === undefined ? {} : { jobs }),
  }
}

type WordSetting =
  | 'dumpCommand'
  | 'restoreCommand'
  | 'psqlCommand'
  | 'dumpPrefix'
  | 'dumpSuffix'
  | 'restorePrefix'
  | 'restoreSuffix'
  | 'toolArgs'

function wordsOf(
  config: DatabaseConfig,
  name: WordSetting,
  { prefix, origin, platform }: WordSurroundings,
): readonly string[] | undefined {
  const value = config[name]
  return typeof value === 'string' ? splitWords(value, `${prefix}.${name} (${origin})`, platform) : value
}
