import { constants } from 'node:fs'
import { chown, copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Account } from '../env/account.js'

/**
 * Copies a folder of folders and files, with blocks shared where the file system can do that, and gives it to the account.
 * @param to must not be there
 */
export async function copyTree(from: string, to: string, account: Account | undefined): Promise<void> {
  const give = async (path: string) => {
    if (account !== undefined) await chown(path, account.uid, account.gid)
  }
  await mkdir(to, { mode: 0o700 })
  await give(to)
  const entries = await readdir(from, { withFileTypes: true })
  await Promise.all(
    entries.map(async (entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)]
      if (entry.isDirectory()) return copyTree(source, target, account)
      if (!entry.isFile()) throw new TypeError(`${source} is neither a file nor a folder`)
      await copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
      await give(target)
    }),
  )
}
