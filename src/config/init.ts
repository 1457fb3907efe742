import { readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Engine } from '../engine/engine.js'
import type { Env } from '../env/env.js'
import { HoldfastError } from '../errors.js'
import { discover, type Discovery, type Finding } from './discover.js'
import { renderConfig } from './init-text.js'
import { configFileNames } from './load.js'

export interface InitRequest {
  /** Default `ts`. */
  readonly format?: 'ts' | 'mjs'
  /** Replace the file where it is there already. */
  readonly force?: boolean
}

export interface InitReport {
  /** The file that was written. */
  readonly file: string
  readonly findings: readonly Finding[]
  /** The `.env` file that the written file loads. */
  readonly envFile?: string
  /** What the user should do beside it, each a sentence. */
  readonly advice: readonly string[]
}

/**
 * Writes a commented configuration file into the working directory, from what is found there. No secret is written: URLs
 * stay in their variables.
 * @throws usage.invalid where there is a configuration file already, unless `force`
 */
export async function init(env: Env, request: InitRequest, engines: readonly Engine[]): Promise<InitReport> {
  const directory = env.workingDirectory
  const name = `holdfast.config.${request.format ?? 'ts'}`
  const existing = await firstExisting(directory)
  if (existing !== undefined && request.force !== true) {
    throw new HoldfastError('usage.invalid', `there is a configuration file already: ${existing}`, {
      hint: 'nothing was changed; pass --force to replace it',
      details: { file: join(directory, existing) },
    })
  }
  const discovery = await discover(env, directory, engines)
  const file = join(directory, name)
  await writeFile(file, renderConfig(discovery), { flag: request.force === true ? 'w' : 'wx' })
  return { file, ...discovery, advice: await adviceFor(env, name, existing, discovery) }
}

async function firstExisting(directory: string): Promise<string | undefined> {
  for (const name of configFileNames) if (await exists(join(directory, name))) return name
  return undefined
}

async function adviceFor(
  env: Env,
  name: string,
  existing: string | undefined,
  { findings }: Discovery,
): Promise<readonly string[]> {
  const advice: string[] = []
  if (findings.every(({ doubtful }) => doubtful)) advice.push(`fill in the database in ${name}`)
  const names: readonly string[] = configFileNames
  if (existing !== undefined && names.indexOf(existing) < names.indexOf(name)) {
    advice.push(`remove ${existing}: it is used in place of ${name}`)
  }
  if (await needsIgnoring(env.workingDirectory))
    advice.push(
      'add the line backups/ to .gitignore; private keys and files with a DATABASE_URL belong there, too',
    )
  return advice
}

/** Whether the folder lies in a git repository of which no .gitignore names `backups`. */
async function needsIgnoring(start: string): Promise<boolean> {
  for (let directory = start; ; directory = dirname(directory)) {
    const text = await readFile(join(directory, '.gitignore'), 'utf8').catch(() => '')
    if (/^\/?(?:\*\*\/)?backups\/?\s*$/mu.test(text)) return false
    if (await exists(join(directory, '.git'))) return true
    if (dirname(directory) === directory) return false
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
