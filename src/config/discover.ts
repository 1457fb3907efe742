import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import type { Engine } from '../engine/engine.js'
import type { Env } from '../env/env.js'
import { schemeOf } from './connection.js'
import { configSources, readHints, type SourceHints } from './discover-sources.js'
import { readVariable } from './variable.js'

/** A database that a project seems to use. */
export interface Finding {
  readonly alias: string
  /** The engine's own name. */
  readonly engine: string
  /** Where it was found: `.env`, `prisma/schema.prisma`. */
  readonly sources: readonly string[]
  /** The variable that holds its URL. */
  readonly variable?: string
  /** The file of a file engine, relative to the project. */
  readonly path?: string
  /** A variable with a URL past the connection pooler: dump tools do not work through one. */
  readonly directVariable?: string
  /** Seems to be the same database as another finding, or one of which only the engine is known. */
  readonly doubtful: boolean
}

export interface Discovery {
  readonly findings: readonly Finding[]
  /** The `.env` file that defines a variable of the findings. */
  readonly envFile?: string
}

const envFiles = ['.env.local', '.env']
const directVariable = /DIRECT|NON_POOLING|UNPOOLED/u

/** Looks for databases in the environment, `.env` files and the configurations of well-known libraries. Runs none of them. */
export async function discover(env: Env, directory: string, engines: readonly Engine[]): Promise<Discovery> {
  const project = new Project(directory, engines)
  const inEnvironment = readVariable(env.variables, 'DATABASE_URL')
  if (inEnvironment !== undefined) project.addUrl('DATABASE_URL', inEnvironment.value, 'the environment')
  let envFile: string | undefined
  for (const name of envFiles) {
    const text = await readText(join(directory, name))
    if (text === undefined) continue
    if (project.addVariables(parseEnv(text), name)) envFile = name
  }
  for (const source of configSources) {
    const text = await readText(join(directory, source))
    if (text !== undefined) project.addHints(readHints(text), source)
  }
  return { findings: project.findings(), ...(envFile === undefined ? {} : { envFile }) }
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

interface Candidate {
  readonly engine: Engine
  readonly sources: string[]
  readonly variable?: string
  /** Absent where only a variable's name is known. */
  readonly url?: string
  path?: string
}

/** Gathers candidates, then says which of them are databases of their own. */
class Project {
  readonly #directory: string
  readonly #engines: readonly Engine[]
  readonly #candidates: Candidate[] = []

  constructor(directory: string, engines: readonly Engine[]) {
    this.#directory = directory
    this.#engines = engines
  }

  /** @returns whether any of the variables is the URL of a database */
  addVariables(variables: Readonly<Record<string, string | undefined>>, source: string): boolean {
    return Object.entries(variables)
      .map(
        ([name, value]) => value !== undefined && !/SHADOW/u.test(name) && this.addUrl(name, value, source),
      )
      .includes(true)
  }

  addUrl(variable: string, url: string, source: string): boolean {
    const engine = this.#engine(schemeOf(url))
    if (engine === undefined) return false
    const known = this.#candidates.find((each) => each.variable === variable)
    if (known === undefined) this.#candidates.push({ engine, variable, url, sources: [source] })
    else known.sources.push(source)
    return true
  }

  addHints(hints: SourceHints, source: string): void {
    const engine = this.#engine(hints.engine)
    const known = this.#candidates.filter(
      ({ variable }) => variable !== undefined && hints.variables.includes(variable),
    )
    for (const candidate of known) {
      candidate.sources.push(source)
      // Prisma's own rule: the path in the URL is relative to the schema's folder.
      const path = source.endsWith('.prisma') ? this.#fileOf(candidate) : undefined
      if (path !== undefined) candidate.path = this.#relative(resolve(this.#directory, dirname(source), path))
    }
    if (known.length > 0 || engine === undefined) return
    const [variable] = hints.variables
    const file = engine.capabilities.server ? undefined : hints.file
    if (file !== undefined) {
      const base = source.endsWith('.prisma') ? dirname(source) : '.'
      const path = this.#relative(resolve(this.#directory, base, file))
      this.#candidates.push({ engine, path, sources: [source] })
    } else {
      this.#candidates.push({ engine, sources: [source], ...(variable === undefined ? {} : { variable }) })
    }
  }

  findings(): readonly Finding[] {
    const main = this.#candidates
      .filter(({ variable = '' }) => !directVariable.test(variable))
      .sort((a, b) => Number(b.variable === 'DATABASE_URL') - Number(a.variable === 'DATABASE_URL'))
    const seen = new Set<string>()
    const aliases = new Set<string>()
    return main.map((candidate) => {
      const identity = this.#identity(candidate)
      const doubtful = identity === undefined || seen.has(identity)
      if (identity !== undefined) seen.add(identity)
      const direct = doubtful ? undefined : this.#directOf(candidate)
      const { engine, sources, variable, path } = candidate
      return {
        alias: freeAlias(aliasOf(candidate, aliases.size === 0), aliases),
        engine: engine.name,
        sources: [...new Set(sources)],
        ...(variable === undefined ? {} : { variable }),
        ...(path === undefined ? {} : { path }),
        ...(direct === undefined ? {} : { directVariable: direct }),
        doubtful,
      }
    })
  }

  #engine(name: string | undefined): Engine | undefined {
    const wanted = name?.toLowerCase()
    return this.#engines.find(
      (each) => each.name === wanted || each.aliases.some((alias) => alias === wanted),
    )
  }

  /** What tells one database from another; `undefined` where too little is known of it. */
  #identity({ engine, url, path, variable }: Candidate): string | undefined {
    if (path !== undefined) return JSON.stringify([engine.name, path])
    if (url === undefined) return variable
    try {
      const { host, port, socket, name } = engine.parse(url, this.#directory)
      return JSON.stringify([
        engine.name,
        host,
        port,
        socket,
        engine.capabilities.server ? name : this.#relative(name),
      ])
    } catch {
      // Written down all the same: doctor and backup say what is wrong with it.
      return variable
    }
  }

  #directOf({ engine }: Candidate): string | undefined {
    return this.#candidates.find(
      ({ variable, engine: other }) => other === engine && directVariable.test(variable ?? ''),
    )?.variable
  }

  /** The path in the URL of a file engine, as it is written. */
  #fileOf({ engine, url }: Candidate): string | undefined {
    if (engine.capabilities.server || url === undefined) return undefined
    const path = /^[a-z0-9+.-]+:(?:\/\/(?=\/))?([^?]*)/iu.exec(url)?.[1]
    return path === undefined || isAbsolute(path) ? undefined : path
  }

  #relative(path: string): string {
    const inside = relative(this.#directory, path).split('\\').join('/')
    return inside.startsWith('..') || isAbsolute(inside) ? path : `./${inside}`
  }
}

/** `ANALYTICS_DATABASE_URL` is `analytics`; the first is `default`. */
function aliasOf({ variable, engine }: Candidate, first: boolean): string {
  if (first || variable === undefined) return first ? 'default' : engine.name
  const words = variable.toLowerCase().replace(/_?(?:database|db)?_?(?:url|uri|dsn)$/u, '')
  return words.split('_').join('-') || engine.name
}

function freeAlias(wanted: string, taken: Set<string>): string {
  let alias = wanted
  for (let number = 2; taken.has(alias); number++) alias = `${wanted}-${number}`
  taken.add(alias)
  return alias
}
