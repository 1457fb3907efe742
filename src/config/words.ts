import { parseArgsStringToArgv } from 'string-argv'
import type { ToolSettings } from '../engine/connector.js'
import { HoldfastError } from '../errors.js'
import type { DatabaseConfig } from './config.js'

/** The command settings of a database; a text is split as a shell would, but nothing is run by a shell. @throws config.invalid */
export function toolSettings(config: DatabaseConfig, prefix: string): ToolSettings {
  const command = (name: 'dumpCommand' | 'restoreCommand' | 'psqlCommand') => {
    const value = config[name]
    if (value === undefined) return {}
    const words = splitWords(value)
    if (words.length > 0) return { [name]: words }
    throw new HoldfastError('config.invalid', `${prefix}.${name} names no program`)
  }
  return {
    ...command('dumpCommand'),
    ...command('restoreCommand'),
    ...command('psqlCommand'),
    dumpPrefix: splitWords(config.dumpPrefix ?? []),
    dumpSuffix: splitWords(config.dumpSuffix ?? []),
    restorePrefix: splitWords(config.restorePrefix ?? []),
    restoreSuffix: splitWords(config.restoreSuffix ?? []),
    env: config.env ?? {},
    dumpEnv: config.dumpEnv ?? {},
    restoreEnv: config.restoreEnv ?? {},
    inheritEnv: config.inheritEnv ?? true,
  }
}

function splitWords(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? parseArgsStringToArgv(value) : value
}
