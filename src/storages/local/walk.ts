import type { Dirent } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../errors.js'
import { isObjectKey, objectKey } from '../object-key.js'
import type { ObjectKey, StoredObject } from '../storage.js'
import { isMissing, systemCode } from './errors.js'
import { isReserved, linkRefused, refuseLinks } from './paths.js'

/** How many files are asked for their size at once. */
const batchSize = 128

/**
 * The objects under a root whose key starts with a prefix, in key order. One folder's names are in memory at a time, for each
 * level.
 * @throws storage.not-found where the root itself is not there; storage.denied for a link to a folder, which may hide backups
 */
export async function* walk(root: string, prefix: string, signal: AbortSignal): AsyncGenerator<StoredObject> {
  const slash = prefix.lastIndexOf('/')
  const folder = slash === -1 ? '' : objectKey(prefix.slice(0, slash))
  if (folder !== '') await refuseLinks(root, folder)
  if (isReserved(folder.split('/')[0] ?? '')) return
  const namesFrom = prefix.slice(slash + 1)
  const parent = folder === '' ? '' : `${folder}/`
  const entries = await entriesOf(root, parent)
  if (entries === undefined) {
    await refuseMissingRoot(root)
    return
  }
  const wanted = entries.filter(({ name }) => name.startsWith(namesFrom))
  yield* walkEntries(root, parent, wanted, signal)
}

/** A root that is not there is no empty storage: its disk may not be mounted, and the backups on it. */
async function refuseMissingRoot(root: string): Promise<void> {
  const there = await stat(root).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (there?.isDirectory() === true) return
  throw new HoldfastError('storage.not-found', `there is no folder ${root}`, {
    hint: 'the first backup makes it; where there should be backups already, see whether its disk is mounted',
    details: { path: root },
  })
}

async function* walkEntries(
  root: string,
  parent: string,
  entries: readonly Entry[],
  signal: AbortSignal,
): AsyncGenerator<StoredObject> {
  for (let start = 0; start < entries.length; start += batchSize) {
    signal.throwIfAborted()
    const batch = entries.slice(start, start + batchSize)
    const stored = await Promise.all(batch.map((entry) => fileAt(root, parent + entry.name, entry)))
    for (const [index, entry] of batch.entries()) {
      const key = parent + entry.name
      if (entry.kind === 'folder') {
        const inner = await entriesOf(root, `${key}/`)
        if (inner !== undefined) yield* walkEntries(root, `${key}/`, inner, signal)
      }
      const object = stored[index]
      if (object !== undefined) yield object
    }
  }
}

interface Entry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link'
}

/** What can be named by a key in a folder, in the order of keys; undefined where there is no such folder. */
async function entriesOf(root: string, parent: string): Promise<readonly Entry[] | undefined> {
  const found = await readdir(join(root, parent), { withFileTypes: true }).catch((error: unknown) => {
    // Its last object was deleted meanwhile, and the folder with it; or, at the start, nothing has its name.
    if (isMissing(error)) return undefined
    throw error
  })
  return found
    ?.filter(({ name }) => !(parent === '' && isReserved(name)) && isObjectKey(parent + name))
    .flatMap((entry) => {
      const kind = kindOf(entry)
      // A folder sorts as its objects do, whose keys go on with a slash.
      const order = Buffer.from(kind === 'folder' ? `${entry.name}/` : entry.name)
      return kind === undefined ? [] : [{ name: entry.name, kind, order }]
    })
    .sort((a, b) => Buffer.compare(a.order, b.order))
}

/** Sockets, pipes and devices are no objects. */
function kindOf(entry: Dirent): Entry['kind'] | undefined {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : undefined
}

async function fileAt(root: string, text: string, { kind }: Entry): Promise<StoredObject | undefined> {
  if (kind === 'folder') return undefined
  const path = join(root, text)
  try {
    if (kind === 'link') {
      if ((await stat(path)).isDirectory()) throw linkRefused(path)
      return undefined
    }
    const stats = await lstat(path)
    return stats.isFile() ? { key: text as ObjectKey, bytes: stats.size, modified: stats.mtime } : undefined
  } catch (error) {
    // Deleted meanwhile, or a link that leads nowhere.
    if (isMissing(error) || systemCode(error) === 'ELOOP') return undefined
    throw error
  }
}
