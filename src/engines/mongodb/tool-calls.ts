import type { ConnectorSettings } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { withPrefixAndSuffix, type ToolCall } from '../../process/tool.js'
import { secretsOf, writeConfigFile } from './config-file.js'
import { objcheckOf } from './connection.js'
import type { Tool } from './tools.js'

/** A run of mongodump that writes the archive to stdout. */
export function dumpCall(
  { connection, tools, options }: ConnectorSettings,
  tool: Tool,
  configFile: string,
  excluded: readonly string[],
): ToolCall {
  const args = [
    `--config=${configFile}`,
    `--db=${connection.name}`,
    '--archive',
    ...excluded.map((name) => `--excludeCollection=${name}`),
    ...(options.toolArgs ?? []),
  ]
  return {
    ...withPrefixAndSuffix(tool.command, args, tools.dumpPrefix, tools.dumpSuffix),
    env: { ...tools.env, ...tools.dumpEnv },
    inheritEnv: tools.inheritEnv,
    secrets: secretsOf(connection),
  }
}

/**
 * A run of mongorestore that reads the archive from stdin. `--stopOnError`: without it, documents that the server refuses are
 * left out, and the program says so and ends with status 0. `--bypassDocumentValidation`: what the source held is restored,
 * also what was there before a validator was. `--noIndexRestore`: indexes are made afterwards, see `indexes.ts`.
 */
export function restoreCall(
  { connection, tools }: ConnectorSettings,
  tool: Tool,
  configFile: string,
  { from, drop }: { readonly from: string; readonly drop: boolean },
): ToolCall {
  const args = [
    `--config=${configFile}`,
    '--archive',
    ...['--stopOnError', '--bypassDocumentValidation', '--noIndexRestore'],
    `--nsInclude=${from}.*`,
    ...(from === connection.name ? [] : [`--nsFrom=${from}.*`, `--nsTo=${connection.name}.*`]),
    ...(drop ? ['--drop'] : []),
    ...(objcheckOf(connection) ? ['--objcheck'] : []),
  ]
  return {
    ...withPrefixAndSuffix(tool.command, args, tools.restorePrefix, tools.restoreSuffix),
    env: { ...tools.env, ...tools.restoreEnv },
    inheritEnv: tools.inheritEnv,
    secrets: secretsOf(connection),
  }
}

/** Gives a config file for as long as the work with it lasts. */
export async function withConfigFile<Result>(
  cx: Context,
  { connection }: ConnectorSettings,
  work: (configFile: string) => Promise<Result>,
): Promise<Result> {
  const folder = await cx.env.temporaryDirectory()
  try {
    return await work(await writeConfigFile(folder, connection))
  } finally {
    await folder.remove()
  }
}
