import {
  chmod,
  chown,
  copyFile,
  constants,
  link,
  lstat,
  open,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../../../errors.js'
import { busyTimeoutMs, databaseError, loadDriver, type Database } from './database.js'
import { exists, openUsable, sync, takeFreeName } from './install.js'
import type { SettleInput, SettleOutput, SwapFiles, SwapInput, SwapOutput } from './protocol.js'

const journals = ['-wal', '-shm', '-journal']
/** What file systems without hard links say to `link`. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']

/**
 * Puts a database file in the place of another one, which gets a name of its own first, so that one rename is the whole swap: until
 * then the target is the old database, and from then on the new one.
 * @throws database.busy where others have the target open
 */
export async function swapFiles({ target, record, ...files }: SwapInput): Promise<SwapOutput> {
  const { from, kept } = files
  await writeRecord(record, files)
  if (!(await exists(target))) {
    await takeFreeName(from, target)
    return { kept: false }
  }
  // Before it is opened: to close a file drops the locks that this process has on it.
  const wal = await hasWal(target)
  const old = await openUsable(target)
  await writeRecord(record, { ...files, wal })
  await dress(from, target, old === undefined ? undefined : wal)
  if (old !== undefined) await holdAlone(old, wal)
  // Windows does not rename over a file that is open, also not for whoever else has it open.
  if (process.platform === 'win32') old?.close()
  await nameAlso(target, kept)
  // Those of a damaged database, which nobody could open to play them in.
  if (old === undefined)
    for (const suffix of journals) await rename(target + suffix, kept + suffix).catch(ignoreAbsent)
  await sync(dirname(target))
  await rename(from, target)
  await sync(dirname(target))
  if (process.platform !== 'win32') old?.close()
  return { kept: true }
}

/** What a run has begun and not ended: the new file in its own place still means that the target is the old database. */
export async function settleSwap({ target, from, kept, back, wal }: SettleInput): Promise<SettleOutput> {
  if (!(await exists(from))) return { is: 'new' }
  for (const path of [kept, copying(kept)]) await rm(path, { force: true })
  if (!back) for (const suffix of ['', ...journals]) await rm(from + suffix, { force: true })
  if (wal === true && (await exists(target))) {
    await setJournal(target, 'WAL')
  }
  await sync(dirname(target))
  return { is: 'old' }
}

/**
 * In one step: a record is the one before or this one. It is the lock as well, and this process holds it now, too: whoever has started
 * it may be killed.
 * @throws locked.by-another-run where another run has taken over
 */
async function writeRecord(path: string, files: SwapFiles): Promise<void> {
  const before = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Partial<SwapFiles>
  if (before.kept !== files.kept)
    throw new HoldfastError('locked.by-another-run', `${path} is of another run`)
  await writeFile(`${path}-new`, JSON.stringify({ ...before, ...files, program: process.pid }), {
    mode: 0o600,
  })
  await sync(`${path}-new`)
  await rename(`${path}-new`, path)
}

/** The new file as the old one is: its owner, who may read it, and whether it has a WAL. */
async function dress(from: string, target: string, wal: boolean | undefined): Promise<void> {
  // One that comes back may be damaged: then nobody can open it, and it comes back as it is.
  if (wal !== undefined) await setJournal(from, wal ? 'WAL' : 'DELETE').catch(ignoreDamage)
  const { mode, uid, gid } = await lstat(target)
  await chmod(from, mode & 0o777)
  // Only root may give files away, and only for root does it matter.
  await chown(from, uid, gid).catch(() => undefined)
  await sync(from)
}

/**
 * Nobody reads or writes from here on, and all that was committed is in the file itself. Whoever has a database with a WAL open is
 * in the way of this, also when idle; without a WAL, idle programs cannot be seen by their locks, and SQLite refuses their
 * writes afterwards (SQLITE_READONLY_DBMOVED).
 */
async function holdAlone(database: Database, wal: boolean): Promise<void> {
  if (wal) database.execute('PRAGMA journal_mode = DELETE')
  database.execute('BEGIN EXCLUSIVE')
  if (await exists(`${database.path}-wal`)) throw inUse(database)
}

/** The read version in a file's header (https://sqlite.org/fileformat.html, 1.3.3). */
async function hasWal(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(20), 0, 20, 0)
    return buffer[19] === 2
  } finally {
    await file.close()
  }
}

/** By a connection without prepared statements: the driver closes one that has some only when they are collected. */
async function setJournal(path: string, mode: 'WAL' | 'DELETE'): Promise<void> {
  const { DatabaseSync } = await loadDriver()
  const location = pathToFileURL(path)
  location.search = 'mode=rw'
  try {
    const driver = new DatabaseSync(location.href, { timeout: busyTimeoutMs })
    driver.exec(`PRAGMA journal_mode = ${mode}`)
    driver.close()
  } catch (error) {
    throw databaseError(error, path)
  }
}

function ignoreDamage(error: unknown): void {
  if (!(error instanceof HoldfastError) || error.code !== 'database.corrupt') throw error
}

function inUse({ path }: Database): HoldfastError {
  return new HoldfastError('database.busy', `${path} is open in other programs`)
}

/** A second name for a file; where the file system has none, a copy, which takes no room where it can share blocks. */
async function nameAlso(path: string, name: string): Promise<void> {
  try {
    await link(path, name)
  } catch (error) {
    if (!noLinks.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    await copyFile(path, copying(name), constants.COPYFILE_FICLONE)
    await sync(copying(name))
    await rename(copying(name), name)
  }
}

function copying(name: string): string {
  return `${name}-copying`
}

function ignoreAbsent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
