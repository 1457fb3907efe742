import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DevServerDriver, DevServerSite } from '../engine/dev-server.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import {
  hasData,
  makeData,
  makeRunFolder,
  ofOneLife,
  oldName,
  placeData,
  remove,
  replacementName,
  requireUsable,
} from './data-folder.js'
import { diskFull } from './disk-full.js'
import { Installation } from './installation.js'
import { clearStale, launch, runningServer, stopServer, untilReady } from './launch.js'
import { portHolder } from './port-holder.js'
import { freePort, isFree } from './ports.js'
import { markerName, readServerRecord, writeServerRecord, type ServerRecord } from './record.js'
import type { DevServerSettings } from './settings.js'
import { host, siteOf } from './site.js'
import type { Templates } from './template.js'

const readyMs = 60_000
const portAttempts = 5

/** What a server is made of. */
export interface ServerParts {
  readonly cx: Context
  readonly driver: DevServerDriver
  readonly name: string
  /** The server's own, which it makes. */
  readonly folder: string
  readonly settings: DevServerSettings
  readonly durable: boolean
  /** Undefined: data are made anew each time. */
  readonly templates: Templates | undefined
  readonly modules: readonly string[]
  /** A restore fills it, and nobody else uses it. */
  readonly filling?: boolean
  /** A data folder whose version is wanted, where there are no data yet. */
  readonly like?: string
}

/**
 * The steps of a server's life, each to be taken while nobody else takes one. Whatever is done already is done: a step that was
 * interrupted is taken again.
 */
export class ServerLife {
  readonly #parts: ServerParts
  readonly #installation: Installation
  /** Told of each start. */
  onStart: () => void = () => undefined

  constructor(parts: ServerParts) {
    this.#parts = parts
    this.#installation = new Installation(parts)
  }

  get folder(): string {
    return this.#parts.folder
  }

  /** Undefined where there is no such server. @throws devserver.foreign-folder, devserver.no-access */
  record(): Promise<ServerRecord | undefined> {
    return readServerRecord(this.#parts.folder)
  }

  /** The record of the server, whose folder is made where it is not there. @throws tool.missing, devserver.* */
  async registered(): Promise<ServerRecord> {
    return (await this.record()) ?? (await this.#newRecord())
  }

  /** @throws tool.missing */
  async site(record: ServerRecord): Promise<DevServerSite> {
    const { cx, folder, settings } = this.#parts
    const installed = await this.#installation.find()
    return siteOf({
      folder,
      record,
      ...installed,
      serverArgs: settings.serverArgs,
      platform: cx.env.platform,
    })
  }

  /** Everything is there; for a database that is a file this is all there is to start. */
  async made(): Promise<DevServerSite> {
    return this.#parts.driver.command === undefined ? this.started() : (await this.#begun()).site
  }

  /** Folder and data are there. */
  async #begun(): Promise<{ readonly site: DevServerSite; readonly data: 'present' | 'copied' | 'new' }> {
    const { cx, driver, templates } = this.#parts
    const record = await this.#withPort(await this.registered())
    const site = await this.site(record)
    // A run was killed between taking old data away and putting new ones there.
    if (!(await hasData(site)))
      await rename(join(site.folder, oldName), site.dataDirectory).catch(() => undefined)
    if (await hasData(site)) {
      await requireUsable(driver, site)
      await makeRunFolder(site)
      return { site, data: 'present' }
    }
    const template = driver.create === undefined ? undefined : await templates?.find(site)
    const data = await makeData(cx, driver, site, template)
    const begun = { ...record, initialPassword: data.password.reveal() }
    // What the data know for a password is written before they are there.
    await this.write(begun)
    await placeData(site, data)
    return { site: await this.site(begun), data: data.copied ? 'copied' : 'new' }
  }

  async #newRecord(): Promise<ServerRecord> {
    const { cx, driver, name, folder, settings, durable } = this.#parts
    // A machine without the server is told so before anything is made.
    const { account } = await this.#installation.find()
    try {
      await mkdir(dirname(folder), { recursive: true })
      await mkdir(folder, { mode: 0o700 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskFull(error, folder)
    }
    if (account !== undefined) await chown(folder, account.uid, account.gid)
    const record: ServerRecord = {
      formatVersion: 1,
      engine: driver.engine,
      name,
      port: settings.port ?? (driver.command === undefined ? 0 : await freePort(host)),
      portFixed: settings.port !== undefined,
      user: settings.user,
      password: settings.password?.reveal() ?? randomBytes(12).toString('hex'),
      database: settings.database,
      durable,
      created: cx.env.clock.now().toISOString(),
    }
    await this.write(record)
    return record
  }

  async write(record: ServerRecord): Promise<void> {
    const { folder } = this.#parts
    try {
      await writeServerRecord(folder, record)
      const { uid, gid } = await stat(folder)
      if (process.getuid?.() === 0) await chown(join(folder, markerName), uid, gid)
    } catch (error) {
      throw diskFull(error, folder)
    }
  }

  /** With the port that is asked for now, where that is another one; a server that runs keeps its own. */
  async #withPort(record: ServerRecord): Promise<ServerRecord> {
    const { settings, folder } = this.#parts
    const { port } = settings
    if (port === undefined || record.port === 0 || (port === record.port && record.portFixed)) return record
    if ((await runningServer(folder)) !== undefined && port !== record.port) {
      this.#notice('warning', `it runs on port ${record.port}; stop it and start it to have it on ${port}`)
      return record
    }
    const moved = { ...record, port, portFixed: true }
    await this.write(moved)
    return moved
  }

  /** The server runs, and has answered a query. */
  async started(): Promise<DevServerSite> {
    const { cx, driver, folder, templates } = this.#parts
    const { site, data } = await this.#begun()
    const server = await runningServer(folder)
    if (server !== undefined) {
      const first = await this.#first()
      await untilReady(cx, driver, site, { timeoutMs: this.#readyMs, first, server })
      return site
    }
    await clearStale(driver, site)
    if (data === 'new') await this.#keepTemplate(site)
    try {
      return await this.#launched(site)
    } catch (error) {
      if (data !== 'copied' || asHoldfastError(error).code !== 'devserver.not-started') throw error
      // The template may be what is wrong: the data, in which nothing is yet, are made without it.
      await templates?.drop(site)
      await this.removeData()
      return this.started()
    }
  }

  get #readyMs(): number {
    return this.#parts.settings.readyTimeoutMs ?? readyMs
  }

  async #launched(begun: DevServerSite): Promise<DevServerSite> {
    const { cx, driver, filling } = this.#parts
    for (let attempt = 1; ; attempt += 1) {
      const site = await this.#withFreePort(begun)
      const first = await this.#first()
      try {
        const args = filling === true ? (driver.fillingArgs?.(site) ?? []) : []
        const waiting = { timeoutMs: this.#readyMs, first, started: this.onStart }
        await launch(cx, driver, { ...site, serverArgs: [...site.serverArgs, ...args] }, waiting)
        return site
      } catch (error) {
        // Between the look at the port and its use somebody else may have taken it.
        const lost = driver.command !== undefined && !(await isFree(host, site.port))
        if (!lost || attempt === portAttempts) throw error
      }
    }
  }

  /** Lets a server settle in new data, and keeps what they are then; the password is none that a server goes on with. */
  async #keepTemplate(site: DevServerSite): Promise<void> {
    const { cx, driver, templates } = this.#parts
    if (driver.create === undefined || templates === undefined || !(await templates.wanted(site))) return
    const own = { ...site, password: site.initialPassword, durable: false }
    const first = () => Promise.resolve()
    try {
      await launch(cx, driver, own, { timeoutMs: this.#readyMs, first, started: this.onStart })
      await this.stopped()
      await templates.keep(own, (name) => driver.spares?.(name) === true)
    } catch (error) {
      cx.signal.throwIfAborted()
      const { message } = error as Error
      cx.emit({ type: 'notice', level: 'debug', message: `the data are not kept as a template: ${message}` })
    }
  }

  /** What is to be done when the server has been settled; undefined where it is. */
  async #first(): Promise<(() => Promise<void>) | undefined> {
    const { initialPassword, ...settled } = (await this.record()) ?? {}
    if (initialPassword === undefined) return undefined
    return () => this.write(settled as ServerRecord)
  }

  /** @throws devserver.port-taken, saying by whom, where the port is the user's choice */
  async #withFreePort(site: DevServerSite): Promise<DevServerSite> {
    const { cx, driver } = this.#parts
    const record = await this.record()
    if (record === undefined || driver.command === undefined) return site
    if (await isFree(host, record.port)) return this.site(record)
    const holder = (await portHolder(cx, record.port)) ?? 'another program'
    if (record.portFixed) {
      throw new HoldfastError('devserver.port-taken', `${holder} listens on port ${record.port}`, {
        details: { port: record.port },
      })
    }
    const moved = { ...record, port: await freePort(host) }
    await this.write(moved)
    const taken = `${holder} listens on port ${record.port} now: ${record.engine} ${record.name} moves to ${moved.port}`
    this.#notice('warning', taken)
    return this.site(moved)
  }

  /** @returns whether it ran */
  async stopped(): Promise<boolean> {
    const { driver, folder } = this.#parts
    return stopServer(folder, driver.stopSignal ?? 'SIGTERM')
  }

  /** Ended at once, and all of it removed. */
  async discarded(): Promise<void> {
    await this.ended()
    await remove(this.#parts.folder)
  }

  /** Ends the server at once, whose data are not wanted any more. @returns whether it ran */
  async ended(): Promise<boolean> {
    const { driver, folder } = this.#parts
    return stopServer(folder, driver.discardSignal ?? 'SIGKILL')
  }

  /** Ends the server at once, and removes its data. @returns whether it ran */
  async removeData(): Promise<boolean> {
    const { folder } = this.#parts
    const ran = await this.ended()
    await stopServer(join(folder, replacementName), 'SIGKILL')
    // What is old goes first: without newer data it would be taken back.
    for (const name of [oldName, replacementName, 'data.making', 'data', ...ofOneLife])
      await remove(join(folder, name))
    return ran
  }

  /** The data are new and empty; the server runs where it ran. */
  async remade(): Promise<DevServerSite> {
    const ran = await this.removeData()
    return ran ? this.started() : this.made()
  }

  /** With the server running, which is stopped again where it did not run. */
  async up<Result>(work: (site: DevServerSite) => Promise<Result>): Promise<Result> {
    const ran = (await runningServer(this.#parts.folder)) !== undefined
    try {
      return await work(await this.started())
    } finally {
      if (!ran) await this.stopped()
    }
  }

  /** The same steps, gone on with after an interruption. */
  uninterrupted(): ServerLife {
    const { cx } = this.#parts
    return new ServerLife({ ...this.#parts, cx: { ...cx, signal: new AbortController().signal } })
  }

  #notice(level: 'info' | 'warning', message: string): void {
    this.#parts.cx.emit({ type: 'notice', level, message })
  }
}
