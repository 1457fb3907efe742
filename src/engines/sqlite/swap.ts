import { open, readdir, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ConnectorSettings } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import {
  nameWithEnding,
  swapIdIn,
  timeOfSwap,
  type Beside,
  type Exchanged,
  type KeptDatabase,
  type Swapper,
  type SwapPurpose,
  type SwapSession,
} from '../../engine/swapper.js'
import { isAlive } from '../../env/alive.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { filesBeside } from './connectors/file-beside.js'
import type { SwapFiles } from './program/protocol.js'
import { ask } from './tools.js'

/** Of file names, less what SQLite and restores add to them. */
const longestNameBytes = 200

/** Swaps by renaming files. What is known of a swap is in a file beside the database. */
export const sqliteSwapper: Swapper = {
  // They are programs of their own, which Holdfast does not end.
  endsSessions: false,
  async look(cx, { connection }) {
    const place = await placeOf(connection)
    const records = await readRecords(place)
    const running = records.some(isRunning)
    return {
      place: `sqlite:${place.path}`,
      exists: await isThere(place.path),
      keptAs: (id) => place.nameOf('before', id),
      kept: await readKept(place, await undone(records)),
      running,
      interrupted: running ? [] : await Promise.all(records.map((record) => tale(place, record))),
      users: await usersOf(place.path),
      warnings: mayMissUsers(cx)
        ? [
            `programs of others that have ${place.path} open go on with the old file: stop them before, and start them after it`,
          ]
        : [],
    }
  },
  async open(cx, settings) {
    const place = await placeOf(settings.connection)
    await takeLock(cx, place)
    return new SqliteSwap(cx, settings, place)
  },
}

/** Where the file really is, behind links. */
interface Place {
  readonly path: string
  readonly record: string
  nameOf(purpose: SwapPurpose, id: string): string
}

async function placeOf({ name }: ConnectionSettings): Promise<Place> {
  const path = await realpath(name).catch(() => name)
  const folder = dirname(path)
  return {
    path,
    record: join(folder, `.${basename(path)}.holdfast_swap`),
    nameOf: (purpose, id) =>
      join(folder, nameWithEnding(basename(path), `_${purpose}_${id}`, longestNameBytes)),
  }
}

/** One run's swap, in a file of its own; what stands in it beside the process comes when it is known. */
interface SwapRecord extends Partial<SwapFiles> {
  /** Absent where it was killed while it made the record. */
  readonly pid?: number
  /** The process of the SQLite program that does it. */
  readonly program?: number
  /** RFC 3339 in UTC. */
  readonly at: string
}

function isRunning({ pid, program }: SwapRecord): boolean {
  return [pid, program].some((each) => each !== undefined && isAlive(each))
}

class SqliteSwap implements SwapSession {
  readonly #cx: Context
  readonly #settings: ConnectorSettings
  readonly #place: Place

  constructor(cx: Context, settings: ConnectorSettings, place: Place) {
    this.#cx = cx
    this.#settings = settings
    this.#place = place
  }

  async settle(): Promise<readonly string[]> {
    const { path } = this.#place
    const done: string[] = []
    for (const { file, from, kept, back = false, wal, at } of await readRecords(this.#place)) {
      if (file === this.#place.record) continue
      if (from !== undefined && kept !== undefined) {
        for (const left of await filesBeside(from)) await rm(left.path, { force: true })
        const files = { from, kept, back, ...(wal === undefined ? {} : { wal }) }
        const { answer } = await ask(this.#cx, 'settle-swap', { target: path, ...files })
        const which = answer.is === 'old' ? 'the old database, as before it' : 'the new database'
        done.push(
          `a swap of ${path} that began at ${at} was interrupted, and is settled: ${path} is ${which}`,
        )
      }
      await rm(file, { force: true })
    }
    await rm(`${this.#place.record}-new`, { force: true })
    return done
  }

  async make(id: string): Promise<Beside> {
    const from = this.#place.nameOf('restoring', id)
    await this.#note({ from, kept: this.#place.nameOf('before', id), back: false })
    return { id, connection: { ...this.#settings.connection, name: from }, made: false, warnings: [] }
  }

  exchange({ id, connection: { name } }: Beside): Promise<Exchanged> {
    return this.#swap({ from: name, kept: this.#place.nameOf('before', id), back: false })
  }

  async undo({ name }: KeptDatabase, id: string): Promise<Exchanged> {
    const files = { from: name, kept: this.#place.nameOf('before', id), back: true }
    await this.#note(files)
    return this.#swap(files)
  }

  async abandon({ connection: { name } }: Beside): Promise<void> {
    for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${name}${suffix}`, { force: true })
  }

  async discard({ name }: KeptDatabase): Promise<void> {
    for (const suffix of ['-wal', '-shm', '-journal', '']) await rm(`${name}${suffix}`, { force: true })
  }

  async close(): Promise<void> {
    await rm(this.#place.record, { force: true })
  }

  /** A swap that failed half-way is settled at once: which of the two is there does not wait for the next run. */
  async #swap(files: SwapFiles): Promise<Exchanged> {
    const { path: target, record } = this.#place
    try {
      await refuseUsers(target)
      const { answer, warnings } = await ask(this.#cx, 'swap', { ...files, target, record })
      return { ...(answer.kept ? { kept: files.kept } : {}), warnings }
    } catch (thrown) {
      const noted = await readRecord(record)
      const { answer } = await ask(this.#cx, 'settle-swap', {
        target,
        ...files,
        ...(noted?.wal === undefined ? {} : { wal: noted.wal }),
      })
      if (answer.is === 'new') return { kept: files.kept, warnings: [asHoldfastError(thrown).message] }
      throw thrown
    }
  }

  async #note(files: SwapFiles): Promise<void> {
    const { record } = this.#place
    await rm(`${record}-new`, { force: true })
    await writeRecord(this.#cx, `${record}-new`, files)
    await rename(`${record}-new`, record)
  }
}

async function writeRecord({ env }: Context, file: string, files: Partial<SwapFiles>): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    const record: SwapRecord = { pid: process.pid, at: env.clock.now().toISOString(), ...files }
    await handle.writeFile(JSON.stringify(record))
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The record is the lock. One of a process that is gone is put aside, by one run alone, and settled. */
async function takeLock(cx: Context, { path, record }: Place): Promise<void> {
  for (;;) {
    try {
      await writeRecord(cx, record, {})
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw denied(path, error)
    }
    const other = await readRecord(record)
    if (other !== undefined && isRunning(other)) {
      throw new HoldfastError(
        'locked.by-another-run',
        `another run (process ${other.pid ?? '?'}) restores beside ${path} or swaps it`,
      )
    }
    const unique = Buffer.from(cx.env.randomBytes(6)).toString('hex')
    await rename(record, `${record}-${unique}`).catch(() => undefined)
  }
}

function denied(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT')
    return new HoldfastError('database.not-found', `the folder of ${path} does not exist`, { cause: error })
  return code === 'EACCES' || code === 'EROFS' || code === 'EPERM'
    ? new HoldfastError('database.denied', message, { cause: error })
    : error
}

async function readRecord(file: string): Promise<SwapRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as SwapRecord
  } catch {
    // Gone meanwhile, or its process was killed while it made it, before anything else.
    return undefined
  }
}

async function readRecords({ record }: Place): Promise<readonly (SwapRecord & { readonly file: string })[]> {
  const folder = dirname(record)
  const names = await readdir(folder).catch(() => [])
  const found: (SwapRecord & { readonly file: string })[] = []
  for (const name of names.filter((each) => each.startsWith(basename(record)))) {
    const file = join(folder, name)
    const read = (await readRecord(file)) ?? { at: '' }
    if (!name.endsWith('-new')) found.push({ ...read, file })
  }
  return found
}

async function readKept(place: Place, without: readonly string[]): Promise<readonly KeptDatabase[]> {
  const folder = dirname(place.path)
  const kept: KeptDatabase[] = []
  for (const file of await readdir(folder).catch(() => [])) {
    const name = join(folder, file)
    const id = swapIdIn(name, 'before', (...of) => place.nameOf(...of))
    const found = id === undefined ? undefined : await stat(name).catch(() => undefined)
    if (id === undefined || found === undefined || without.includes(name)) continue
    kept.push({ name, since: timeOfSwap(id), sizeBytes: found.size })
  }
  return kept.sort((a, b) => b.since.getTime() - a.since.getTime())
}

/** What interrupted swaps have given a second name, and that is still what answers under the first. */
async function undone(records: readonly SwapRecord[]): Promise<readonly string[]> {
  const names: string[] = []
  for (const { from, kept } of records) {
    if (from !== undefined && kept !== undefined && (await isThere(from))) names.push(kept)
  }
  return names
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

async function tale({ path }: Place, { at, from, back }: SwapRecord): Promise<string> {
  const began = `${back === true ? 'an undo of the restore of' : 'a restore beside'} ${path}${at === '' ? '' : ` that began at ${at}`} was interrupted`
  if (from !== undefined && !(await isThere(from)) && (await isThere(path)))
    return `${began}: ${path} is what it was last swapped to`
  const rest = back === true ? '' : ', and what was restored beside it is removed'
  return `${began}: ${path} is as it was${rest}`
}

/** Programs that have the file open, as far as this account may see. */
async function usersOf(path: string): Promise<readonly string[]> {
  const own = new Set([path, `${path}-wal`, `${path}-shm`])
  const users: string[] = []
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/u.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => [])
    const opened = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')))
    if (!opened.some((file) => own.has(file))) continue
    // Not its `comm`, which is the name of its first thread: since Node 24 `node-MainThread`.
    const program = await readlink(`/proc/${pid}/exe`).catch(() => 'a program')
    users.push(`${basename(program.replace(/ \(deleted\)$/u, ''))} (process ${pid})`)
  }
  return users
}

/** Only Linux shows who has a file open, and only root those of everybody. */
function mayMissUsers({ env }: Context): boolean {
  return env.platform !== 'linux' || process.getuid?.() !== 0
}

/** @throws database.busy */
async function refuseUsers(path: string): Promise<void> {
  const users = await usersOf(path)
  if (users.length === 0) return
  throw new HoldfastError('database.busy', `${path} is open in ${users.join(', ')}`, {
    hint: 'stop these programs: Holdfast ends no programs that have a file open',
  })
}
