import { readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Env } from '../env/env.js'
import { errorTable, HoldfastError, type ErrorCode } from '../errors.js'
import { jsonErrorPosition } from './json-position.js'

export const configFileNames = [
  'holdfast.config.ts',
  'holdfast.config.mts',
  'holdfast.config.js',
  'holdfast.config.mjs',
  'holdfast.config.json',
] as const

export interface LoadOptions {
  /** The file to load, relative to the working directory; otherwise it is looked for. */
  readonly configFile?: string
  /** What `import … from 'holdfast'` gives in a configuration file. Default: what Node finds from the file on. */
  readonly holdfast?: () => Promise<unknown>
}

export interface LoadedConfig {
  /** What the file exports, its shape not checked yet; `{}` where there is no file. */
  readonly config: unknown
  /** Absolute. */
  readonly file?: string
  /** The folder of the file, or the working directory. */
  readonly baseDirectory: string
}

/**
 * Finds the configuration file from the working directory upward, or takes the one named by `configFile` or
 * `HOLDFAST_CONFIG`, and runs or reads it. No `.env` file is read here: a configuration file that wants one says so with
 * `process.loadEnvFile`.
 * @throws config.not-found for a named file that is not there
 * @throws config.unreadable with the place and message of what went wrong in it, config.missing-variable
 */
export async function loadConfigFile(env: Env, options: LoadOptions = {}): Promise<LoadedConfig> {
  const file = await chooseFile(env, options.configFile)
  if (file === undefined) return { config: {}, baseDirectory: env.workingDirectory }
  const config = extname(file) === '.json' ? await readJson(env, file) : await runFile(env, file, options)
  return { config, file, baseDirectory: dirname(file) }
}

/** The file's path as it is shown: relative to the working directory where it lies in or above it. */
export function shownPath(env: Env, file: string): string {
  return relative(env.workingDirectory, file) || file
}

async function chooseFile(env: Env, configFile: string | undefined): Promise<string | undefined> {
  const named = configFile ?? (env.variables['HOLDFAST_CONFIG'] || undefined)
  if (named === undefined) return findUpward(env.workingDirectory)
  const file = resolve(env.workingDirectory, named)
  if (await isFile(file)) return file
  const origin = configFile === undefined ? 'environment HOLDFAST_CONFIG' : '--config'
  throw new HoldfastError('config.not-found', `there is no configuration file ${named} (${origin})`, {
    hint: 'correct the path, or leave it out to have the file looked for',
    details: { file },
  })
}

async function findUpward(start: string): Promise<string | undefined> {
  for (let directory = start; ; directory = dirname(directory)) {
    for (const name of configFileNames) {
      const file = join(directory, name)
      if (await isFile(file)) return file
    }
    if (dirname(directory) === directory) return undefined
  }
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ?? false
}

async function readJson(env: Env, file: string): Promise<unknown> {
  let source: string
  try {
    source = await readFile(file, 'utf8')
  } catch (error) {
    throw unreadable(env, file, error)
  }
  const text = source.replace(/^\uFEFF/u, '')
  const position = jsonErrorPosition(text)
  if (position === undefined) return JSON.parse(text)
  const place = `${shownPath(env, file)}:${position.line}:${position.column}`
  throw new HoldfastError('config.unreadable', `${place} is not JSON from there on`, {
    details: { file, ...position },
  })
}

async function runFile(env: Env, file: string, options: LoadOptions): Promise<unknown> {
  let loaded: unknown
  try {
    loaded = await importFile(file, options)
  } catch (error) {
    throw unreadable(env, file, error)
  }
  const config: unknown =
    typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'default') : undefined
  if (config !== undefined) return config
  throw new HoldfastError('config.unreadable', `${shownPath(env, file)} has no default export`, {
    hint: 'write: export default defineConfig({ … })',
    details: { file },
  })
}

async function importFile(file: string, options: LoadOptions): Promise<unknown> {
  if (['.js', '.mjs'].includes(extname(file))) {
    try {
      return await import(pathToFileURL(file).href)
    } catch (error) {
      // The caller's `env` may have something to put in place of a variable that the installed package finds missing.
      if (!isHoldfastNotFound(error) && codeOf(error) !== 'config.missing-variable') throw error
    }
  }
  const { createJiti } = await import('jiti')
  const jiti = createJiti(pathToFileURL(file).href, {
    interopDefault: false,
    // Its cache would leave a copy of the file, with whatever secrets stand in it, in a shared temporary folder.
    fsCache: false,
    ...(options.holdfast === undefined ? {} : { virtualModules: { holdfast: await options.holdfast() } }),
  })
  return jiti.import(file)
}

/** Where Holdfast is installed globally, a configuration file cannot import it by Node's own rules. */
function isHoldfastNotFound(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes("'holdfast'")
  )
}

function unreadable(env: Env, file: string, error: unknown): HoldfastError {
  const place = placeOf(env, file, error)
  const message = messageOf(error)
  const code = codeOf(error)
  if (code !== undefined) {
    const hint = (error as HoldfastError).hint
    return new HoldfastError(code, `${place}: ${message}`, { cause: error, hint, details: { file } })
  }
  return new HoldfastError('config.unreadable', `${place}: ${message}`, { cause: error, details: { file } })
}

/** The code of an error of Holdfast's, also where another copy of the package threw it. */
function codeOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || error.name !== 'HoldfastError') return undefined
  const code = (error as { readonly code?: unknown }).code
  return typeof code === 'string' && code in errorTable ? (code as ErrorCode) : undefined
}

/** The first line that says something: what follows is the source of the file, which may hold secrets. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return (message.split('\n')[0] ?? '').replace(/^ParseError: /u, '').trim()
}

/** `holdfast.config.ts:3:7` where the stack or message says so. */
function placeOf(env: Env, file: string, error: unknown): string {
  const shown = shownPath(env, file)
  if (!(error instanceof Error)) return shown
  const trace = `${error.message}\n${error.stack ?? ''}`
  for (const name of [file, pathToFileURL(file).href]) {
    const rest = trace.split(`${name}:`)[1]
    const position = /^\d+(?::\d+)?/u.exec(rest ?? '')?.[0]
    if (position !== undefined) return `${shown}:${position}`
  }
  return shown
}
