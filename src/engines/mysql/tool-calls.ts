import type { ConnectorSettings } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { runTool } from '../../process/run.js'
import { withPrefixAndSuffix, type ToolCall } from '../../process/tool.js'
import { writeOptionFile, type OptionFile } from './option-file.js'
import type { Tool } from './tools.js'

/** A run of the dump tool, with the user's prefix, suffix and environment. */
export function dumpCall(
  { connection, tools }: ConnectorSettings,
  tool: Tool,
  optionFile: OptionFile,
  args: readonly string[],
): ToolCall {
  return {
    ...withPrefixAndSuffix(tool.command, [optionFile.argument, ...args], tools.dumpPrefix, tools.dumpSuffix),
    smallWrites: true,
    env: { ...tools.env, ...tools.dumpEnv, ...optionFile.env },
    inheritEnv: tools.inheritEnv,
    secrets: connection.password === undefined ? [] : [connection.password],
  }
}

/**
 * What every run of the client is told. It stops at the first error, since it reads no terminal and is never told `--force`.
 * `--binary-mode` keeps line ends as they are and turns off the client's own commands, so that no dump can run a program of
 * the machine; `--comments` keeps the comments in routines, which older clients strip.
 */
const clientArguments = [
  '--batch',
  '--binary-mode',
  '--comments',
  '--default-character-set=utf8mb4',
  '--max-allowed-packet=1073741824',
  '--local-infile=0',
  '--skip-reconnect',
]

/** A forgotten transaction of some other session must not hold a restore for a day. */
const sessionVariables = 'lock_wait_timeout = 120'

/**
 * A run of the client that reads SQL from stdin; without a database where it may not exist yet.
 * @param variables of the session: `unique_checks = 0`
 */
export function clientCall(
  { connection, tools }: ConnectorSettings,
  tool: Tool,
  optionFile: OptionFile,
  database: string | undefined,
  variables?: string,
): ToolCall {
  const args = [
    optionFile.argument,
    ...clientArguments,
    `--init-command=SET SESSION ${[sessionVariables, variables].filter((each) => each !== undefined).join(', ')}`,
    ...(database === undefined ? [] : [`--database=${database}`]),
  ]
  return {
    ...withPrefixAndSuffix(tool.command, args, tools.restorePrefix, tools.restoreSuffix),
    env: { ...tools.env, ...tools.restoreEnv, ...optionFile.env },
    inheritEnv: tools.inheritEnv,
    secrets: connection.password === undefined ? [] : [connection.password],
  }
}

/** Gives an option file for as long as the work with it lasts. */
export async function withOptionFile<Result>(
  cx: Context,
  { connection }: ConnectorSettings,
  tool: Tool,
  work: (optionFile: OptionFile) => Promise<Result>,
): Promise<Result> {
  const folder = await cx.env.temporaryDirectory()
  try {
    return await work(await writeOptionFile(cx.env, folder, connection, tool.family))
  } finally {
    await folder.remove()
  }
}

/** Whether the client gets in where the driver did: it may lack a way to log in, or insist on TLS. @throws tool.failed */
export async function checkLogin(cx: Context, settings: ConnectorSettings, tool: Tool): Promise<void> {
  await withOptionFile(cx, settings, tool, async (optionFile) => {
    await runTool(cx, { ...clientCall(settings, tool, optionFile, undefined), timeoutMs: 60_000 })
  })
}
