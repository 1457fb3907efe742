import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { ToolFacts, ToolSettings } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import type { Env } from '../../env/env.js'
import { HoldfastError } from '../../errors.js'
import { runTool } from '../../process/run.js'

export type ToolName = 'mongodump' | 'mongorestore'

/** A program that was asked for its version. */
export interface Tool {
  readonly facts: ToolFacts
  /** The words to start it with, without the user's prefix and suffix. */
  readonly command: readonly string[]
}

const probeTimeoutMs = 20_000
/** Older tools have no `--config`: the password would have to stand in their arguments. */
const oldest = [100, 3]
const installHint =
  'install the MongoDB Database Tools (apt or dnf: mongodb-database-tools from repo.mongodb.org; brew: mongodb/brew/mongodb-database-tools)'

/**
 * The configured program, or the first that is installed.
 * @throws tool.missing, tool.too-old, tool.failed
 */
export async function findTool(cx: Context, name: ToolName, settings: ToolSettings): Promise<Tool> {
  const setting = name === 'mongodump' ? 'dumpCommand' : 'restoreCommand'
  const configured = settings[setting]
  if (configured !== undefined && configured.length > 0) return probe(cx, name, configured, settings)
  const path = await installed(cx.env, name)
  if (path === undefined) {
    throw new HoldfastError('tool.missing', `${name} is not installed`, {
      hint: `${installHint}, set ${setting} to its path, or use the connector mongodb-driver, which needs no tools`,
    })
  }
  return probe(cx, name, [path], settings)
}

async function installed(env: Env, name: ToolName): Promise<string | undefined> {
  const file = env.platform === 'win32' ? `${name}.exe` : name
  const inPath = (env.variables['PATH'] ?? env.variables['Path'] ?? '').split(delimiter)
  for (const folder of [...inPath.filter((each) => each !== ''), ...(await usualFolders(env))]) {
    const path = join(folder, file)
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return path
  }
  return undefined
}

/** Where installers put the tools without telling PATH; the newest first. */
async function usualFolders({ platform, variables }: Env): Promise<readonly string[]> {
  if (platform !== 'win32') return ['/usr/local/bin', '/opt/homebrew/bin']
  const parent = join(variables['ProgramFiles'] ?? 'C:\\Program Files', 'MongoDB', 'Tools')
  const versions = await readdir(parent).catch(() => [])
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(parent, version, 'bin'))
}

async function probe(
  cx: Context,
  name: ToolName,
  command: readonly string[],
  settings: ToolSettings,
): Promise<Tool> {
  const [program = '', ...words] = command
  const { stdout } = await runTool(cx, {
    program,
    args: [...words, '--version'],
    env: settings.env,
    inheritEnv: settings.inheritEnv,
    timeoutMs: probeTimeoutMs,
  })
  // `mongodump version: 100.9.5`; who builds it with the Go toolchain alone gets no number.
  const version = /version:\s*v?(\S+)/u.exec(stdout)?.[1]
  if (version === undefined) {
    throw new HoldfastError(
      'tool.failed',
      `${command.join(' ')} --version does not say a version: ${stdout.trim().slice(0, 200)}`,
    )
  }
  if (isTooOld(version)) {
    throw new HoldfastError('tool.too-old', `${program} ${version} cannot be given a password privately`, {
      hint: `${installHint}, 100.3 or newer`,
    })
  }
  return { facts: { name, version, path: program }, command }
}

function isTooOld(version: string): boolean {
  const [major, minor] = version.split('.').map(Number)
  if (major === undefined || Number.isNaN(major)) return false
  const [wantedMajor = 0, wantedMinor = 0] = oldest
  return major < wantedMajor || (major === wantedMajor && (minor ?? 0) < wantedMinor)
}
