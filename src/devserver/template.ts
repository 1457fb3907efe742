import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevServerSite } from '../engine/dev-server.js'
import type { Env } from '../env/env.js'
import { copyTree } from './copy-tree.js'

/** Grows when data folders are to be made in another way. */
const generation = 1

/** A data folder as a driver makes it, kept to begin other servers with: copying is faster than making. */
export interface Template {
  readonly data: string
  /** What its account has for a password. */
  readonly password: string
}

/** The templates of this machine's user, in the usual place for what can be made again. */
export class Templates {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async find(site: DevServerSite): Promise<Template | undefined> {
    const folder = this.#folderOf(site)
    try {
      return { data: join(folder, 'data'), password: await readFile(join(folder, 'password'), 'utf8') }
    } catch {
      return undefined
    }
  }

  /** Keeps a copy of data that no server has run on. Two who do so at once end with one template. */
  async keep(site: DevServerSite, data: string): Promise<void> {
    const folder = this.#folderOf(site)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const making = `${folder}.${randomBytes(4).toString('hex')}`
    try {
      await mkdir(making, { mode: 0o700 })
      await copyTree(data, join(making, 'data'), undefined)
      await writeFile(join(making, 'password'), site.initialPassword.reveal(), { mode: 0o600 })
      await rename(making, folder)
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error
    }
  }

  /** Of a program, its version and what was asked of it. */
  #folderOf({ engine, programs, user }: DevServerSite): string {
    const facts = JSON.stringify([generation, programs.paths, user])
    const digest = createHash('sha256').update(facts).digest('hex').slice(0, 12)
    return join(this.#folder, `${engine}-${programs.version.replace(/[^\w.]/gu, '_')}-${digest}`)
  }
}

/** Where programs keep what they can make again, by the rules of the system. */
export function templateFolder({ platform, variables, homeDirectory }: Env): string {
  const caches =
    variables['XDG_CACHE_HOME'] ||
    (platform === 'win32' ? variables['LOCALAPPDATA'] : undefined) ||
    join(homeDirectory, platform === 'darwin' ? 'Library/Caches' : '.cache')
  return join(caches, 'holdfast', 'dev-templates')
}
