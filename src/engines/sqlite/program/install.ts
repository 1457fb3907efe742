import { chmod, chown, link, lstat, open, realpath, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../../../errors.js'
import { busyTimeoutMs, databaseError, loadDriver, openDatabase, type Database } from './database.js'
import { checkStructure } from './check.js'
import { sayError, sayWarning } from './output.js'
import type { InstallInput } from './protocol.js'

/** As SQLite makes its files, before the umask. */
const fileMode = 0o644
const pagesAtATime = 2_000

/**
 * Checks a whole database file and puts it in the place of the target: the target is then the new database or, after a
 * failure or a kill at any point, the old one.
 * @throws integrity.format where the new file is damaged; database.*
 */
export async function install({ from, target, checked }: InstallInput): Promise<null> {
  const source = await openDatabase(from, 'private').catch(refuseDamaged)
  if (!checked) await whileSyncing(from, () => checkNew(source))
  const place = await realpath(target).catch(() => target)
  if (!(await exists(place))) {
    source.close()
    await moveIn(from, place)
    return null
  }
  const existing = await openUsable(place)
  if (existing === undefined) {
    source.close()
    sayWarning(`${place} was damaged and has been replaced as a file: restart the programs that have it open`)
    await moveOver(from, place)
    return null
  }
  await copyInto(source, existing)
  source.close()
  await rm(from, { force: true })
  return null
}

/** @throws integrity.format */
export async function checkBackup(path: string): Promise<void> {
  const source = await openDatabase(path, 'private').catch(refuseDamaged)
  checkNew(source)
  source.close()
}

function checkNew(source: Database): void {
  try {
    checkStructure(source)
  } catch (error) {
    refuseDamaged(error)
  }
}

/** A damaged backup is not a damaged database of the user's. */
function refuseDamaged(error: unknown): never {
  if (error instanceof HoldfastError && error.code === 'database.corrupt') {
    throw new HoldfastError('integrity.format', `the backup is damaged: ${error.message}`, { cause: error })
  }
  throw error
}

export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

/** Where nothing stood. What is left there of an older database's journals would be played into the new one: it goes first. */
async function moveIn(from: string, target: string): Promise<void> {
  await settle(from)
  await takeFreeName(from, target)
}

/** @throws database.busy where there is a file of that name by now */
export async function takeFreeName(from: string, target: string): Promise<void> {
  await removeJournals(target)
  try {
    await link(from, target)
    await rm(from)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new HoldfastError('database.busy', `${target} was made by another program meanwhile`, {
        cause: error,
      })
    }
    // A file system without hard links.
    await rename(from, target)
  }
  await sync(dirname(target))
}

async function moveOver(from: string, target: string): Promise<void> {
  const { mode, uid, gid } = await lstat(target)
  await settle(from)
  await chmod(from, mode & 0o777)
  // Only root may give files away, and only for root does it matter.
  await chown(from, uid, gid).catch(() => undefined)
  await removeJournals(target)
  await rename(from, target)
  await sync(dirname(target))
}

async function removeJournals(target: string): Promise<void> {
  for (const suffix of ['-wal', '-shm', '-journal']) await rm(`${target}${suffix}`, { force: true })
}

async function settle(path: string): Promise<void> {
  await chmod(path, fileMode & ~process.umask())
  await sync(path)
}

export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  // Windows cannot open folders, and syncs their entries by itself.
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/** The disk writes while the work reads, which is in memory still; what could not be synced now is once more, later. */
async function whileSyncing(path: string, work: () => void): Promise<void> {
  const handle = await open(path, 'r')
  const synced = handle.sync().catch(() => undefined)
  try {
    work()
  } finally {
    await synced
    await handle.close()
  }
}

/** The target, with the right to write; nothing where it is too damaged for SQLite to work on. @throws database.busy */
export async function openUsable(path: string): Promise<Database | undefined> {
  try {
    const database = await openDatabase(path, 'write')
    database.execute('BEGIN IMMEDIATE; ROLLBACK')
    return database
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'database.corrupt') return undefined
    throw error
  }
}

/**
 * SQLite's online backup into a database that others may have open: one transaction, after which they see the new content.
 * Renaming a file over it would leave them with a file that has no name any more.
 */
async function copyInto(source: Database, existing: Database): Promise<void> {
  const { path } = existing
  const pageSize = source.number('PRAGMA page_size')
  const usesWal = existing.text('PRAGMA journal_mode') === 'wal'
  // With a WAL, pages keep their size; without it the copy may change it.
  const leaveWal = usesWal && existing.number('PRAGMA page_size') !== pageSize
  if (leaveWal) existing.execute('PRAGMA journal_mode = DELETE')
  existing.close()
  await runBackup(source, path)
  if (leaveWal) (await openDatabase(path, 'write')).execute('PRAGMA journal_mode = WAL')
}

async function runBackup(source: Database, target: string): Promise<void> {
  const { backup } = await loadDriver()
  const location = pathToFileURL(target)
  location.search = 'mode=rw'
  // The driver tries for ever to get its locks, without a pause; once it has them nothing can stand in its way.
  const stuck = () => {
    sayError(new HoldfastError('database.busy', `${target}: other programs keep it locked`))
    process.kill(process.pid, 'SIGKILL')
  }
  const timer = setTimeout(stuck, busyTimeoutMs)
  try {
    await backup(source.driver, location.href, { rate: pagesAtATime, progress: () => clearTimeout(timer) })
  } catch (error) {
    throw databaseError(error, target)
  } finally {
    clearTimeout(timer)
  }
}
