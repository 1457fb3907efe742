import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Folders cannot be synced everywhere (Windows, some network file systems); it is then the system that keeps them. */
const unsyncable = new Set(['EINVAL', 'EPERM', 'EISDIR', 'EBADF', 'ENOTSUP', 'ENOSYS', 'EACCES'])
/** Gone again: another run has removed what it held. */
const gone = new Set(['ENOENT', 'ENOTDIR'])

/** Waits until the names in a folder are on the disk. @throws system errors */
export async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!gone.has(code) && !unsyncable.has(code)) throw error
  }
}

/** Makes a folder and what leads to it, so that their names are on the disk. @throws system errors */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode })
  if (first === undefined) return
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    await syncFolder(folder)
    if (folder.length <= dirname(first).length) return
  }
}
