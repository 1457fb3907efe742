import { lstat, mkdir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../../errors.js'
import { syncFolder } from '../../streams/durable-folder.js'
import { deviceName } from '../object-key.js'
import type { ObjectKey } from '../storage.js'
import { isMissing, systemCode } from './errors.js'

/** Where files lie while they are written, beside the objects and so on the same file system. */
export const partialFolder = '.holdfast-partial'

const reserved = new Set([partialFolder, 'lost+found'])

/** Names at the root that hold no objects: our own, and the one that ext4 makes, which an ordinary user cannot read. */
export function isReserved(name: string): boolean {
  // Lower case, since some file systems take them for the same.
  return reserved.has(name.toLowerCase())
}

/** The path of an object. @throws storage.unsafe-key for what this platform or this storage cannot hold as a file */
export function pathOf(root: string, key: ObjectKey, platform: NodeJS.Platform): string {
  const segments = key.split('/')
  const unsafe = (why: string): HoldfastError =>
    new HoldfastError('storage.unsafe-key', `${key} cannot be a file: ${why}`, { details: { key } })
  if (isReserved(segments[0] ?? '')) throw unsafe(`${segments[0]} is no place for objects`)
  if (platform === 'win32') {
    // A colon would name an alternate stream of another file; a device name opens the device.
    if (/[<>:"|?*]/u.test(key)) throw unsafe('Windows allows none of < > : " | ? *')
    const device = segments.find((segment) => deviceName.test(segment))
    if (device !== undefined) throw unsafe(`${device} is a device on Windows`)
  }
  return join(root, ...segments)
}

/** The folders between the root and an object, outermost first, as paths. */
function foldersOf(root: string, key: string): string[] {
  const segments = key.split('/').slice(0, -1)
  return segments.map((_, index) => join(root, ...segments.slice(0, index + 1)))
}

/**
 * A symbolic link inside the root could lead anywhere, so none is followed. The root itself may be one.
 * @param key of an object, or of a folder
 * @throws storage.denied
 */
export async function refuseLinks(root: string, key: string): Promise<void> {
  for (const path of [...foldersOf(root, key), join(root, ...key.split('/'))]) {
    const stats = await lstat(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw error
    })
    if (stats === undefined) return
    if (stats.isSymbolicLink()) throw linkRefused(path)
  }
}

export function linkRefused(path: string): HoldfastError {
  return new HoldfastError('storage.denied', `${path} is a symbolic link, which a storage does not follow`, {
    hint: 'put what it points to in its place, or make the storage of the folder it points to',
    details: { path },
  })
}

/** Makes the folders that lead to an object, durably. @throws storage.denied where one is a symbolic link */
export async function makeFolders(root: string, key: string): Promise<void> {
  for (const folder of foldersOf(root, key)) {
    try {
      await mkdir(folder, { mode: 0o700 })
      await syncFolder(dirname(folder))
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
      if ((await lstat(folder)).isSymbolicLink()) throw linkRefused(folder)
    }
  }
}

/** Removes the folders that led to an object and are empty now. */
export async function removeEmptyFolders(root: string, key: string): Promise<void> {
  for (const folder of foldersOf(root, key).reverse()) {
    // Not empty, gone, or not ours to remove: in each case it stays, and so do those above it.
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    )
    if (!removed) return
  }
}
