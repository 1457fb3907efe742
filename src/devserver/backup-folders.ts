import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../errors.js'

/** A backup of a development server: a folder with the time of its making and its name. */
export interface BackupFolder {
  readonly directory: string
  /** What the user calls it; empty where it has no name but its time. */
  readonly name: string
  /** As it stands in the folder's name: `2026-11-27-145533`, in UTC. */
  readonly time: string
}

const pattern = /^(\d{4}-\d\d-\d\d-\d{6})(?:-(.+))?$/u
const nameRule = /^[\p{L}\p{N}][\p{L}\p{N}._ -]*$/u

/** Makes a new, empty folder for a backup. @throws usage.invalid for a name that no folder can have */
export async function createBackupFolder(root: string, now: Date, name = ''): Promise<string> {
  if (name !== '' && !nameRule.test(name)) {
    throw new HoldfastError('usage.invalid', `${name} cannot be the name of a backup`, {
      hint: 'use letters, digits, dots, dashes, spaces',
    })
  }
  await mkdir(root, { recursive: true, mode: 0o700 })
  for (let time = now; ; time = new Date(time.getTime() + 1000)) {
    const directory = join(root, [stamp(time), ...(name === '' ? [] : [name])].join('-'))
    try {
      await mkdir(directory, { mode: 0o700 })
      return directory
    } catch (error) {
      // Two in one second: the later one is called a second later, so that their order shows.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function stamp(time: Date): string {
  return time.toISOString().replace(/^(.*)T(\d\d):(\d\d):(\d\d).*$/u, '$1-$2$3$4')
}

/** The newest first. */
export async function backupFolders(root: string): Promise<readonly BackupFolder[]> {
  const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .flatMap((entry) => {
      const [, time, name = ''] = pattern.exec(entry) ?? []
      return time === undefined ? [] : [{ directory: join(root, entry), name, time }]
    })
    .sort((a, b) => (a.directory < b.directory ? 1 : -1))
}

/** All bytes below a folder. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  const sizes = entries.map(async (entry) =>
    // A server that runs makes and removes files all the time.
    entry.isFile() ? ((await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0) : 0,
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
