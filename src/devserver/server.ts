import { mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DevServerSite } from '../engine/dev-server.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { readRecord } from '../process/background.js'
import { createBackupFolder } from './backup-folders.js'
import { remove } from './data-folder.js'
import { fillGuide, guideValues, plainGuide } from './guide.js'
import { standGuard, type Guard } from './guard/guard.js'
import { infoOf, type DevServerInfo } from './info.js'
import { recordFile, runningServer } from './launch.js'
import { ServerLife, type ServerParts } from './life.js'
import { withLock } from './lock.js'
import { replaceData } from './replacement.js'

/** Longer than a start or stop may take; a backup or restore may take longer. */
const lockMs = 180_000
const watchMs = 200
const backupsName = 'backups'

/** Makes and restores backups; Holdfast's own operations stand behind it. */
export interface Archive {
  backup(cx: Context, site: DevServerSite, directory: string): Promise<void>
  /** Into a server that has just been made. */
  restore(cx: Context, site: DevServerSite, directory: string): Promise<void>
}

/**
 * One development server, with the steps and folders of django-dbdev's backends: `init`, `start`, `stop`, `runInForeground`,
 * `destroy`, `reinit`, `backup`, `restore`, `info`, `guide`, `dataDir`, `createDataDir`, `removeDataDir`, `backupRoot`,
 * `createBackupDir`, `log`. Whatever is done already is done: it is no error to start what runs, or to stop or destroy what does
 * not.
 *
 * @example
 * const server = await hf.dev.server({ engine: 'postgresql' })
 * await server.backup(await server.createBackupDir('before-migration'))
 */
export class DevServer {
  readonly #parts: ServerParts
  readonly #archive: Archive
  readonly #life: ServerLife

  constructor(parts: ServerParts, archive: Archive) {
    this.#parts = parts
    this.#archive = archive
    this.#life = new ServerLife(parts)
  }

  get engine(): string {
    return this.#parts.driver.engine
  }

  get name(): string {
    return this.#parts.name
  }

  get folder(): string {
    return this.#parts.folder
  }

  /** Whether it is there or not. */
  get dataDir(): string {
    return join(this.folder, 'data')
  }

  get backupRoot(): string {
    return join(this.folder, backupsName)
  }

  get logFile(): string {
    return join(this.folder, 'server.log')
  }

  /** Tells whoever listens to notices. */
  log(message: string): void {
    this.#parts.cx.emit({ type: 'notice', level: 'info', message })
  }

  /** Makes the server's folder and data. It is not started. @throws tool.missing, devserver.*, storage.full */
  init(): Promise<DevServerSite> {
    return this.#locked(() => this.#life.made())
  }

  /** Makes the data folder where it is not there. @returns its path */
  async createDataDir(): Promise<string> {
    await this.init()
    return this.dataDir
  }

  /** Removes the data; a server that runs is stopped before. @throws devserver.foreign-folder */
  async removeDataDir(): Promise<void> {
    await this.#locked(async () => {
      if ((await this.#life.record()) === undefined) return
      await this.#life.removeData()
    })
  }

  /** Starts the server in the background, making it first where it is not there. @returns when a query has been answered */
  start(): Promise<DevServerSite> {
    return this.#locked(() => this.#life.started())
  }

  /** @returns whether it ran */
  stop(): Promise<boolean> {
    return this.#locked(async () =>
      (await this.#life.record()) === undefined ? false : this.#life.stopped(),
    )
  }

  /**
   * Runs until the signal aborts, or until it ends otherwise, and leaves no process behind, even where this one is killed.
   * @param ready told when it answers
   * @throws locked.by-another-run where it runs already
   */
  async runInForeground(ready: (site: DevServerSite) => void): Promise<void> {
    const { cx, driver } = this.#parts
    const running = await runningServer(this.folder)
    if (running !== undefined) {
      throw new HoldfastError(
        'locked.by-another-run',
        `${this.#called} runs already, as process ${running.pid}`,
        {
          hint: 'holdfast dev stop ends it; holdfast dev logs --follow shows what it says',
        },
      )
    }
    const guard = this.#guarded(false)
    try {
      ready(await this.start())
      if (driver.command === undefined) return
      while (!cx.signal.aborted && (await this.#goesOn()))
        await delay(watchMs, undefined, { signal: cx.signal }).catch(() => undefined)
      // Whoever stops it in good order takes its note away.
      if (!cx.signal.aborted && (await readRecord(recordFile(this.folder))) !== undefined)
        throw new HoldfastError('tool.failed', `the ${this.#called} has ended by itself`, {
          hint: 'see the end of its log: holdfast dev logs',
        })
    } finally {
      await this.#locked(() => this.#life.stopped(), new AbortController().signal)
      guard.dismiss()
    }
  }

  /** Whether it runs, or is about to: whoever makes its data anew stops it for a moment, and has the lock then. */
  async #goesOn(): Promise<boolean> {
    const runs = async () => (await runningServer(this.folder)) !== undefined
    if (await runs()) return true
    return this.#locked(runs).catch((error: unknown) => {
      if (this.#parts.cx.signal.aborted) return false
      if (asHoldfastError(error).code === 'locked.by-another-run') return true
      throw error
    })
  }

  /**
   * Starts a server that goes with this process, and its folder with it: when this process ends, in whatever way.
   * @returns what ends it before that
   */
  async startDisposable(): Promise<{ readonly site: DevServerSite; readonly dispose: () => Promise<void> }> {
    const guard = this.#guarded(true)
    const dispose = async () => {
      await this.#locked(() => this.#life.discarded(), new AbortController().signal)
      await remove(this.#lockFile)
      guard.dismiss()
    }
    try {
      return { site: await this.start(), dispose }
    } catch (error) {
      await dispose()
      throw error
    }
  }

  /** Stops the server and removes its data. Its backups stay, unless they are to go too. @returns whether there was one */
  async destroy({ backups = false }: { readonly backups?: boolean } = {}): Promise<boolean> {
    return this.#locked(async () => {
      if ((await this.#life.record()) === undefined) return false
      await this.#life.removeData()
      const kept = await readdir(this.backupRoot).catch(() => [])
      if (backups || kept.length === 0) await remove(this.folder)
      return true
    })
  }

  /** Makes the data anew: empty, with the same port and password. Starts the server where it ran. */
  reinit(): Promise<DevServerSite> {
    return this.#locked(() => this.#life.remade())
  }

  /** A new, empty folder for a backup, with the time and the name given. @throws devserver.not-found, usage.invalid */
  async createBackupDir(name?: string): Promise<string> {
    await this.#existing()
    return createBackupFolder(this.backupRoot, this.#parts.cx.env.clock.now(), name)
  }

  /** Works with the server running, starting it for the while where it does not. @throws devserver.not-found */
  async use<Result>(work: (site: DevServerSite) => Promise<Result>): Promise<Result> {
    await this.#existing()
    return this.#locked(() => this.#life.up(work))
  }

  /**
   * Backs up into an empty folder, starting the server for the while where it does not run.
   * @throws devserver.not-found, and as `hf.backup`
   */
  async backup(directory: string): Promise<void> {
    const { cx, driver } = this.#parts
    await this.use((site) =>
      driver.backup === undefined
        ? this.#archive.backup(cx, site, directory)
        : driver.backup(cx, site, directory),
    )
  }

  /** Restores from a folder that `backup` has filled; see {@link restoreWith}. @throws as `hf.restore` */
  async restore(directory: string): Promise<void> {
    const { driver } = this.#parts
    await this.restoreWith(async (cx, site) => {
      if (driver.backup === undefined) return this.#archive.restore(cx, site, directory)
      if (driver.restore === undefined)
        throw new HoldfastError(
          'usage.not-supported',
          `the driver of ${this.engine} cannot restore its backups`,
        )
      await driver.restore(cx, site, directory)
    })
  }

  /**
   * Has a new server beside this one filled, whose data take the place of this one's when they are whole. Until then the old ones
   * are untouched and served; they stay where anything goes wrong.
   * @param work restores into the server that it is given
   */
  async restoreWith(work: (cx: Context, site: DevServerSite) => Promise<void>): Promise<void> {
    await this.#locked(() => replaceData(this.#parts, this.#life, this.#called, work))
  }

  /** Undefined where there is no such server. @throws devserver.foreign-folder */
  info(): Promise<DevServerInfo | undefined> {
    return infoOf(this.#parts, this.#life)
  }

  /** How to reach it, whether it runs or not. @throws devserver.not-found, tool.missing */
  async site(): Promise<DevServerSite> {
    return this.#life.site(await this.#existing())
  }

  /** The commands one always looks up, for this very server. @throws devserver.not-found, config.invalid */
  async guide({ showSecrets = false }: { readonly showSecrets?: boolean } = {}): Promise<string> {
    const { driver, settings } = this.#parts
    const site = await this.site()
    const template =
      settings.guide === undefined ? await driver.guide?.() : await readTemplate(settings.guide)
    return fillGuide(template ?? plainGuide, guideValues(driver, site, showSecrets))
  }

  get #called(): string {
    return `development server ${this.engine} ${this.name}`
  }

  /** Beside the folder, which may be removed while it is held. */
  get #lockFile(): string {
    return join(dirname(this.folder), `.${basename(this.folder)}.lock`)
  }

  async #existing() {
    const record = await this.#life.record()
    if (record === undefined) throw new HoldfastError('devserver.not-found', `there is no ${this.#called}`)
    return record
  }

  async #locked<Result>(work: () => Promise<Result>, signal = this.#parts.cx.signal): Promise<Result> {
    await mkdir(dirname(this.folder), { recursive: true })
    return withLock(this.#lockFile, { signal, waitMs: lockMs }, work)
  }

  #guarded(remove: boolean): Guard {
    const { cx, driver } = this.#parts
    const signal = remove ? (driver.discardSignal ?? 'SIGKILL') : (driver.stopSignal ?? 'SIGTERM')
    const guard = standGuard(cx.env, { folder: this.folder, signal, remove })
    this.#life.onStart = () => guard.started()
    return guard
  }
}

async function readTemplate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new HoldfastError('config.unreadable', `the guide ${path} cannot be read`, {
      cause: error,
      hint: 'correct the path that devServers has for it',
    })
  }
}
