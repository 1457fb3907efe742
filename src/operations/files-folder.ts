import { access, constants, lstat, realpath, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { HoldfastError } from '../errors.js'

/** The folder that files are restored into. */
export interface Folder {
  /** Absolute, without symbolic links. */
  readonly path: string
  readonly exists: boolean
  /** All of it is made anew, beside what is there. */
  readonly fresh: boolean
}

/** @throws usage.invalid where it is no folder; storage.not-found where what leads to it is not there */
export async function findFolder(base: string, path: string, replace: boolean): Promise<Folder> {
  const wanted = resolve(base, path)
  const real = await realpath(wanted).catch(() => undefined)
  if (real !== undefined) {
    if (!(await stat(real)).isDirectory())
      throw new HoldfastError('usage.invalid', `${wanted} is not a folder`)
    return { path: real, exists: true, fresh: replace }
  }
  // A link that leads nowhere: its disk may not be mounted.
  if ((await lstat(wanted).catch(() => undefined)) !== undefined)
    throw new HoldfastError('storage.not-found', `${wanted} is a link to a folder that is not there`)
  const parent = await realpath(dirname(wanted)).catch((error: unknown) => {
    throw new HoldfastError('storage.not-found', `there is no folder ${dirname(wanted)}`, {
      cause: error,
      hint: 'make it first, or check the path',
    })
  })
  return { path: join(parent, basename(wanted)), exists: false, fresh: true }
}

/** @throws storage.full */
export async function checkRoom({ path, exists }: Folder, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(exists ? path : dirname(path))
  const free = bavail * bsize
  if (free >= bytes) return
  throw new HoldfastError(
    'storage.full',
    `the files need ${bytes} bytes, and where ${path} lies ${free} are free`,
  )
}

/** Whether another folder can take the target's place. @throws storage.denied, usage.not-supported */
export async function checkSwap({ path, exists }: Folder): Promise<void> {
  const parent = dirname(path)
  await access(parent, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw new HoldfastError(
      'storage.denied',
      `${parent} may not be written to: the new folder is made in it`,
      {
        cause: error,
        hint: exists
          ? 'give access, or restore with --on-conflict replace'
          : 'give access, or name another folder with --to',
      },
    )
  })
  if (!exists || (await stat(parent)).dev === (await stat(path)).dev) return
  throw new HoldfastError(
    'usage.not-supported',
    `${path} is a disk of its own, which no folder can take the place of`,
    {
      hint: 'restore with --on-conflict replace',
    },
  )
}
