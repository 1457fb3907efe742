import type { ToolSettings } from '../../engine/connector.js'
import type { Env } from '../../env/env.js'
import { withPrefixAndSuffix, type ToolCall } from '../../process/tool.js'
import { connectionArguments, type Connection } from './connection.js'
import type { PasswordFile } from './passfile.js'
import type { Client } from './tools.js'

/** Found in nobody's password; without them programs are not found, or do not find the user's own files. */
const neverSecret = ['PATH', 'Path', 'HOME', 'USERPROFILE', 'APPDATA', 'TMPDIR', 'SYSTEMROOT', 'SystemRoot']
const keptWithoutInheriting = ['PATH', 'Path', 'SYSTEMROOT', 'SystemRoot']

export interface CallSettings {
  readonly client: Client
  readonly tools: ToolSettings
  readonly phase: 'dump' | 'restore'
  readonly args: readonly string[]
}

/** A call of one of PostgreSQL's programs against a database. */
export function databaseCall(
  env: Env,
  connection: Connection,
  passwordFile: PasswordFile,
  settings: CallSettings,
): ToolCall {
  return {
    ...offlineCall(env, { ...settings, args: [...settings.args, ...connectionArguments(connection)] }),
    env: toolEnvironment(env, settings.tools, settings.phase, passwordFile.env),
    secrets: connection.password === undefined ? [] : [connection.password],
  }
}

/** A call that asks no server. */
export function offlineCall(env: Env, { client, tools, phase, args }: CallSettings): ToolCall {
  const [prefix, suffix] =
    phase === 'dump' ? [tools.dumpPrefix, tools.dumpSuffix] : [tools.restorePrefix, tools.restoreSuffix]
  return {
    ...withPrefixAndSuffix(client.command, args, prefix, suffix),
    env: toolEnvironment(env, tools, phase, {}),
    inheritEnv: tools.inheritEnv,
  }
}

/** Ours first: what the user configures has the last word. */
export function toolEnvironment(
  { variables }: Env,
  tools: ToolSettings,
  phase: 'dump' | 'restore',
  passwordVariables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {}
  // A password such as `postgres` also stands in many a path; the variable is no secret for that.
  for (const name of tools.inheritEnv ? neverSecret : keptWithoutInheriting) {
    const value = variables[name]
    if (value !== undefined) kept[name] = value
  }
  // The user's own password file is also found where nothing is inherited.
  const ownFile = variables['PGPASSFILE']
  return {
    ...kept,
    ...(ownFile === undefined ? {} : { PGPASSFILE: ownFile }),
    // Messages are shown as they are and looked into for hints: one language for all.
    LC_ALL: '',
    LANGUAGE: '',
    LC_MESSAGES: 'C',
    ...passwordVariables,
    ...tools.env,
    ...(phase === 'dump' ? tools.dumpEnv : tools.restoreEnv),
  }
}

/**
 * The user's own command for a program. `restoreCommand` stands for either tool of a restore, since a file that was made
 * elsewhere may need the other one; a command that plainly runs the other one is not taken.
 */
export function configuredCommand(
  { restoreCommand, psqlCommand }: ToolSettings,
  name: 'pg_restore' | 'psql',
): readonly string[] | undefined {
  if (name === 'psql' && psqlCommand !== undefined) return psqlCommand
  const other = name === 'psql' ? 'pg_restore' : 'psql'
  const runsOther = restoreCommand?.some(
    (word) => (word.split(/[\\/]/u).at(-1) ?? '').replace(/\.exe$/iu, '') === other,
  )
  return runsOther === true ? undefined : restoreCommand
}
