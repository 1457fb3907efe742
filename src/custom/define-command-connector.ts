import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import type { ConnectorFactory, ConnectorSettings, ToolFacts } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import { feedTool, readTool, runTool } from '../process/run.js'
import { withPrefixAndSuffix, type ToolCall } from '../process/tool.js'
import { connect } from '../streams/connect.js'
import { customConnector } from './connector.js'
import type { Command, CommandConnectorDefinition, CustomDatabase } from './definition.js'
import { ofUser } from './user-error.js'

/**
 * A connector of your own that runs a tool: without a shell, with its exit status gating success, with every command setting
 * (`dumpPrefix`, `env` …) heeded.
 *
 * @example
 * const shell = defineCommandConnector({
 *   name: 'sqlite-shell',
 *   engine: 'sqlite',
 *   extension: 'sql',
 *   format: { startsWith: 'PRAGMA foreign_keys=OFF;', endsWith: 'COMMIT;' },
 *   version: ['sqlite3', '--version'],
 *   dump: ({ connection }) => ['sqlite3', '-readonly', connection.name, '.dump'],
 *   restore: ({ connection }) => ['sqlite3', '-bail', connection.name],
 * })
 */
export function defineCommandConnector(definition: CommandConnectorDefinition): ConnectorFactory {
  const { name } = definition
  return customConnector(definition, {
    tools: (cx, settings) => toolFacts(cx, definition, settings),
    async *dump(cx, settings, database, warn) {
      yield* whilePrivate(cx, definition, database, async function* (told) {
        const command = await ofUser(name, cx, () => Promise.resolve(definition.dump(told)))
        const { stdout, finished } = readTool(cx, callOf(definition, settings, command, 'dump'))
        try {
          yield stdout
          for (const message of (await finished).messages) warn(message)
        } finally {
          // A reader that gave up has left the tool running.
          stdout.destroy()
          await finished.catch(() => undefined)
        }
      })
    },
    async restore(cx, settings, database, dump) {
      const work = whilePrivate(cx, definition, database, async function* (told) {
        const command = await ofUser(name, cx, () => Promise.resolve(definition.restore(told)))
        yield await feed(cx, callOf(definition, settings, command, 'restore'), dump)
      })
      const warnings: string[] = []
      for await (const messages of work) warnings.push(...messages)
      return warnings
    },
  })
}

async function feed(cx: Context, call: ToolCall, dump: Readable): Promise<readonly string[]> {
  const { stdin, finished } = feedTool(cx, call)
  await connect([dump, stdin], cx.signal)
  return (await finished).messages
}

/** Keeps the private file, where there is one, for as long as the work lasts. */
async function* whilePrivate<Told extends CustomDatabase, Given>(
  cx: Context,
  definition: CommandConnectorDefinition,
  database: Told,
  work: (told: Told) => AsyncGenerator<Given>,
): AsyncGenerator<Given> {
  if (definition.privateFile === undefined) {
    yield* work(database)
    return
  }
  const content = await ofUser(definition.name, cx, () =>
    Promise.resolve(definition.privateFile?.(database) ?? ''),
  )
  const folder = await cx.env.temporaryDirectory()
  try {
    yield* work({ ...database, privateFile: await folder.writeFile('private', content) })
  } finally {
    await folder.remove()
  }
}

function callOf(
  { name }: CommandConnectorDefinition,
  { connection, admin, tools }: ConnectorSettings,
  command: Command,
  phase: 'dump' | 'restore',
): ToolCall {
  const { command: words, env = {} } = 'command' in command ? command : { command }
  const [program, ...args] = words
  const secrets = [connection.password, admin?.password, ...Object.values(env)].filter(
    (value) => value instanceof Secret,
  )
  refuseSecretWords(name, program, args, secrets, connection)
  const configured = phase === 'dump' ? tools.dumpCommand : tools.restoreCommand
  const [prefix, suffix] =
    phase === 'dump' ? [tools.dumpPrefix, tools.dumpSuffix] : [tools.restorePrefix, tools.restoreSuffix]
  const given = Object.entries(env).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value instanceof Secret ? value.reveal() : value] as const],
  )
  return {
    ...withPrefixAndSuffix(configured ?? [program], args, prefix, suffix),
    env: {
      ...Object.fromEntries(given),
      ...tools.env,
      ...(phase === 'dump' ? tools.dumpEnv : tools.restoreEnv),
    },
    inheritEnv: tools.inheritEnv,
    secrets,
  }
}

/**
 * Every user of the machine can see the arguments of a program. A password that is also the user's or the database's name is
 * not found this way.
 * @throws usage.invalid, before the program is started
 */
function refuseSecretWords(
  connector: string,
  program: string,
  args: readonly string[],
  secrets: readonly Secret[],
  { user, name, host }: ConnectorSettings['connection'],
): void {
  for (const secret of secrets) {
    const value = secret.reveal()
    if (value === '' || [user, name, host].includes(value)) continue
    const shown = (word: string) =>
      word === value ||
      word === `-p${value}` ||
      word.endsWith(`=${value}`) ||
      [value, encodeURIComponent(value)].some((each) => word.includes(`:${each}@`))
    if (!args.some(shown)) continue
    throw new HoldfastError(
      'usage.invalid',
      `the connector ${connector} passes a password to ${basename(program)} as an argument, which every user of the machine can see`,
      { hint: 'hand it over in env, or in the private file' },
    )
  }
}

/** How long a tool may take to say its version. */
const versionTimeoutMs = 10_000

async function toolFacts(
  cx: Context,
  { version }: CommandConnectorDefinition,
  { tools }: ConnectorSettings,
): Promise<readonly ToolFacts[]> {
  if (version === undefined) return []
  const [program, ...args] = version
  const words = withPrefixAndSuffix(tools.dumpCommand ?? [program], args, tools.dumpPrefix, [])
  const { stdout } = await runTool(cx, {
    ...words,
    env: { ...tools.env, ...tools.dumpEnv },
    inheritEnv: tools.inheritEnv,
    timeoutMs: versionTimeoutMs,
  })
  const said = /\d+(?:\.\d+)+/u.exec(stdout)?.[0] ?? stdout.split('\n')[0]?.trim() ?? ''
  return [{ name: basename(program), version: said, path: (tools.dumpCommand ?? [program]).join(' ') }]
}
