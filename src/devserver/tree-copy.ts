import { chownSync, constants, copyFileSync, mkdirSync, readdirSync, truncateSync } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Account } from '../env/account.js'
import type { Context } from '../env/context.js'
import { runTool } from '../process/run.js'

/** Below this a file's zeros are not worth a look. */
const largeBytes = 1024 * 1024
const flags = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL

/** A copy of a folder, in which large files lack the zeros at their ends: servers make room for logs that they do not need yet. */
export interface TreeCopy {
  readonly folder: string
  /** How long those files are to be, by their paths below the folder. */
  readonly lengths: Readonly<Record<string, number>>
}

/**
 * Copies a folder of folders and files so that it is on the disk, and not merely on its way there.
 * @param to must not be there
 * @param spared files, by their names, that are left out
 */
export async function keepTree(
  from: string,
  to: string,
  spared: (name: string) => boolean,
): Promise<TreeCopy> {
  const lengths: Record<string, number> = {}
  const files = copyFolder(from, to, { spared })
  for (const name of files) {
    const file = await open(join(to, name), 'r+')
    try {
      const { size } = await file.stat()
      const end = size < largeBytes ? size : await endOfContent(file, size)
      if (end < size) {
        await file.truncate(end)
        lengths[name] = size
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }
  return { folder: to, lengths }
}

/**
 * Makes a folder of a copy, with blocks shared where the file system can do that, and gives it to the account. A thousand small
 * files are copied in a tenth of a second; taking turns with other work for each would double that.
 * @param to must not be there
 */
export function copyTree({ folder, lengths }: TreeCopy, to: string, account: Account | undefined): void {
  copyFolder(folder, to, account === undefined ? {} : { account })
  for (const [name, length] of Object.entries(lengths)) truncateSync(join(to, name), length)
}

/** Waits until a folder and all that is below it are on the disk. */
export async function syncTree(cx: Context, folder: string): Promise<void> {
  if (cx.env.platform !== 'linux' || !(await syncFileSystem(cx, folder))) await syncEach(folder)
}

/**
 * All of the file system at once takes a third of the time that a thousand files take one by one.
 * @returns whether that is done: there may be no such program
 * @see https://man7.org/linux/man-pages/man2/syncfs.2.html
 */
async function syncFileSystem(cx: Context, folder: string): Promise<boolean> {
  try {
    await runTool(cx, { program: 'sync', args: ['-f', folder] })
    return true
  } catch {
    cx.signal.throwIfAborted()
    return false
  }
}

/** Side by side, files share what the file system does for each. */
async function syncEach(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) await syncEach(join(folder, entry.name))
  const files = entries.filter((entry) => entry.isFile())
  await Promise.all(files.map(({ name }) => syncFile(join(folder, name))))
  await syncFolder(folder)
}

/** Waits until the names in a folder are on the disk, on systems where folders can be opened. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform !== 'win32') await syncFile(folder, 'r')
}

async function syncFile(path: string, flag = process.platform === 'win32' ? 'r+' : 'r'): Promise<void> {
  const file = await open(path, flag)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

interface Copying {
  /** Whose the copy is to be. */
  readonly account?: Account
  readonly spared?: (name: string) => boolean
}

/** @returns the files below it */
function copyFolder(from: string, to: string, how: Copying, below = '', files: string[] = []): string[] {
  const target = join(to, below)
  mkdirSync(target, { mode: 0o700 })
  give(target, how.account)
  for (const entry of readdirSync(join(from, below), { withFileTypes: true })) {
    const name = join(below, entry.name)
    if (entry.isDirectory()) copyFolder(from, to, how, name, files)
    else if (!entry.isFile()) throw new TypeError(`${join(from, name)} is neither a file nor a folder`)
    else if (how.spared?.(entry.name) !== true) {
      copyFileSync(join(from, name), join(to, name), flags)
      give(join(to, name), how.account)
      files.push(name)
    }
  }
  return files
}

function give(path: string, account: Account | undefined): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid)
}

/** Where the zeros at the end of a file begin. */
async function endOfContent(file: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.alloc(largeBytes)
  const zeros = Buffer.alloc(largeBytes)
  for (let end = size; end > 0; end -= largeBytes) {
    const start = Math.max(0, end - largeBytes)
    const { bytesRead } = await file.read(chunk, 0, end - start, start)
    const read = chunk.subarray(0, bytesRead)
    if (read.equals(zeros.subarray(0, bytesRead))) continue
    return start + read.findLastIndex((byte) => byte !== 0) + 1
  }
  return 0
}
