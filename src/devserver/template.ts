import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import type { DevServerSite } from '../engine/dev-server.js'
import type { Clock, Env } from '../env/env.js'
import { keepTree, type TreeCopy } from './tree-copy.js'

/** Grows when data folders are to be made in another way. */
const generation = 3
const unusedMs = 30 * 24 * 3_600_000

/** A data folder in which a server has been settled, kept to begin other servers with: copying is faster than making. */
export interface Template {
  readonly data: TreeCopy
  /** What its account has for a password. */
  readonly password: string
}

const schema = z.object({ password: z.string(), lengths: z.record(z.string(), z.int().positive()) })

/** The templates of this machine's user, in the usual place for what can be made again. */
export class Templates {
  readonly #root: string
  readonly #clock: Clock

  constructor(root: string, clock: Clock) {
    this.#root = root
    this.#clock = clock
  }

  async find(site: DevServerSite): Promise<Template | undefined> {
    const folder = this.#folderOf(site)
    try {
      const { password, lengths } = schema.parse(
        JSON.parse(await readFile(join(folder, 'template.json'), 'utf8')),
      )
      const now = this.#clock.now()
      await utimes(folder, now, now)
      return { data: { folder: join(folder, 'data'), lengths }, password }
    } catch {
      return undefined
    }
  }

  /** Whether data like these have been made before: who makes them once does not pay for a template. */
  async wanted(site: DevServerSite): Promise<boolean> {
    const mark = this.#markOf(site)
    try {
      await mkdir(this.#root, { recursive: true, mode: 0o700 })
      await writeFile(mark, '', { flag: 'wx', mode: 0o600 })
      return false
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EEXIST'
    }
  }

  /**
   * Keeps a copy of the data of a server that has been stopped in good order. Two who do so at once end with one template.
   * @param spared files, by their names, that are left out
   */
  async keep(site: DevServerSite, spared: (name: string) => boolean): Promise<void> {
    const folder = this.#folderOf(site)
    const making = `${folder}.${randomBytes(4).toString('hex')}`
    try {
      await mkdir(making, { mode: 0o700 })
      const { lengths } = await keepTree(site.dataDirectory, join(making, 'data'), spared)
      const facts = JSON.stringify({ password: site.initialPassword.reveal(), lengths })
      await writeFile(join(making, 'template.json'), facts, { mode: 0o600, flush: true })
      await rename(making, folder)
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error
    }
    await this.#removeUnused()
  }

  /** Of no use: a server that began with it did not start. */
  async drop(site: DevServerSite): Promise<void> {
    await rm(this.#folderOf(site), { recursive: true, force: true })
  }

  /** Of versions that have been replaced, of half-made ones, and of the marks. */
  async #removeUnused(): Promise<void> {
    const before = this.#clock.now().getTime() - unusedMs
    for (const name of await readdir(this.#root)) {
      const path = join(this.#root, name)
      const facts = await stat(path).catch(() => undefined)
      if (facts !== undefined && facts.mtimeMs < before) await rm(path, { recursive: true, force: true })
    }
  }

  #markOf(site: DevServerSite): string {
    const folder = this.#folderOf(site)
    return join(dirname(folder), `.${basename(folder)}.made-once`)
  }

  /** Of a program, its version and what was asked of it. */
  #folderOf({ engine, programs, user, database, serverArgs }: DevServerSite): string {
    const facts = JSON.stringify([generation, programs.paths, user, database, serverArgs])
    const digest = createHash('sha256').update(facts).digest('hex').slice(0, 12)
    return join(this.#root, `${engine}-${programs.version.replace(/[^\w.]/gu, '_')}-${digest}`)
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
