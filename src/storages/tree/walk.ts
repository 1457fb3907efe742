import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { isReserved } from '../local/paths.js'
import { isObjectKey, objectKey } from '../object-key.js'
import type { ObjectKey, StoredObject } from '../storage.js'
import type { FileTree, NamedEntry } from './tree.js'

/**
 * The objects whose key starts with a prefix, in key order. One folder's names are in memory at a time, for each level.
 * @throws storage.not-found where the root itself is not there
 */
export async function* walk(cx: Context, tree: FileTree, prefix: string): AsyncGenerator<StoredObject> {
  cx.signal.throwIfAborted()
  const slash = prefix.lastIndexOf('/')
  const folder = slash === -1 ? '' : objectKey(prefix.slice(0, slash))
  if (isReserved(folder.split('/')[0] ?? '')) return
  const namesFrom = prefix.slice(slash + 1)
  const entries = await tree.list(cx, folder)
  if (entries === undefined) {
    if (folder === '' || (await tree.look(cx, '')) === undefined) throw missingRoot(tree)
    return
  }
  yield* walkEntries(
    cx,
    tree,
    folder === '' ? '' : `${folder}/`,
    entries.filter(({ name }) => name.startsWith(namesFrom)),
  )
}

/** A root that is not there is no empty storage: its disk may not be mounted, and the backups on it. */
function missingRoot(tree: FileTree): HoldfastError {
  return new HoldfastError('storage.not-found', `there is no folder ${tree.describe()}`, {
    hint: 'the first backup makes it; where there should be backups already, see whether the path is right and its disk mounted',
  })
}

async function* walkEntries(
  cx: Context,
  tree: FileTree,
  parent: string,
  entries: readonly NamedEntry[],
): AsyncGenerator<StoredObject> {
  for (const { name, kind, bytes, modified } of inKeyOrder(parent, entries)) {
    cx.signal.throwIfAborted()
    const key = parent + name
    if (kind === 'file') yield { key: key as ObjectKey, bytes, modified }
    // Its last object may have been deleted meanwhile, and the folder with it.
    else yield* walkEntries(cx, tree, `${key}/`, (await tree.list(cx, key)) ?? [])
  }
}

/** What can be named by a key, in the order of keys. */
function inKeyOrder(parent: string, entries: readonly NamedEntry[]): readonly NamedEntry[] {
  return (
    entries
      .filter(({ name }) => !(parent === '' && isReserved(name)) && isObjectKey(parent + name))
      // A folder sorts as its objects do, whose keys go on with a slash.
      .map((entry) => ({
        entry,
        order: Buffer.from(entry.kind === 'folder' ? `${entry.name}/` : entry.name),
      }))
      .sort((a, b) => Buffer.compare(a.order, b.order))
      .map(({ entry }) => entry)
  )
}
