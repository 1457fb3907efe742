import { createHash } from 'node:crypto'
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../../errors.js'
import { syncFolder } from '../../streams/durable-folder.js'
import type { ObjectKey } from '../storage.js'
import { isMissing, systemCode } from './errors.js'
import { exclusive } from './partial.js'
import { linkRefused, makeFolders, partialFolder } from './paths.js'

/** A complete file that is to get its name. */
export interface Publication {
  readonly root: string
  readonly key: ObjectKey
  readonly partial: string
  readonly target: string
  readonly createOnly: boolean
}

/** `link` of node:fs, or another one to stand for a file system without hard links. */
export type LinkCall = (from: string, to: string) => Promise<void>

/**
 * Gives a complete file its name, in one step, and has the name on the disk.
 * @throws storage.exists, storage.denied, storage.failed; system errors
 */
export async function publish(publication: Publication, linkCall: LinkCall = link): Promise<void> {
  const { root, key, partial, target } = publication
  for (let attempt = 1; ; attempt++) {
    try {
      await makeFolders(root, key)
      if (publication.createOnly) await create(publication, linkCall)
      else await replace(publication)
      break
    } catch (error) {
      // Another run may remove a folder between making and using it, when it deletes the last object there.
      if (systemCode(error) !== 'ENOENT' || attempt === 10) throw error
      if (await isThere(partial)) continue
      throw new HoldfastError('storage.failed', `${partial} was removed before it was published`, {
        cause: error,
      })
    }
  }
  await syncFolder(dirname(target))
}

/** Whether a name is taken, by whatever it may be. */
export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false
      throw error
    },
  )
}

async function replace({ partial, target }: Publication): Promise<void> {
  const there = (await isThere(target)) ? await lstat(target) : undefined
  if (there?.isSymbolicLink() === true) throw linkRefused(target)
  await rename(partial, target)
}

/** What a file system without hard links answers: FAT, exFAT, some network file systems. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** `link` fails where the name is taken, which `rename` does not. */
async function create(publication: Publication, linkCall: LinkCall): Promise<void> {
  const { partial, target } = publication
  try {
    await linkCall(partial, target)
  } catch (error) {
    if (!noLinks.has(systemCode(error) ?? '')) throw error
    return createClaimed(publication)
  }
  // The object has its name; its first name, should it stay, is swept later.
  await unlink(partial).catch(() => undefined)
}

/**
 * Without hard links: whoever makes the claim file of a key may look whether the name is free, and rename. An empty file under
 * the name itself would do as well, but would be visible as an object. A claim left by a killed run is swept like a partial.
 */
async function createClaimed({ root, key, partial, target }: Publication): Promise<void> {
  const claim = join(root, partialFolder, `claim-${createHash('sha256').update(key).digest('hex')}`)
  await (await open(claim, exclusive, 0o600)).close()
  try {
    if (await isThere(target)) throw existsError(root, key)
    await rename(partial, target)
  } finally {
    await unlink(claim).catch(() => undefined)
  }
}

export function existsError(root: string, key: ObjectKey): HoldfastError {
  return new HoldfastError('storage.exists', `${key} is in local ${root} already`, { details: { key } })
}
