import { createHash } from 'node:crypto'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { partialFolder } from '../local/paths.js'
import type { ObjectKey } from '../storage.js'
import { foldersOf, isNotFound, type FileTree } from './tree.js'

/** A complete file that is to get its name. */
export interface Publication {
  readonly key: ObjectKey
  readonly partial: string
  readonly createOnly: boolean
}

/** Gives a complete file its name, in one step. @throws storage.exists, and what the server says */
export async function publish(cx: Context, tree: FileTree, publication: Publication): Promise<void> {
  const { key, partial, createOnly } = publication
  for (let attempt = 1; ; attempt++) {
    try {
      if (createOnly) await create(cx, tree, publication)
      else await tree.replace(cx, partial, key)
      return
    } catch (error) {
      // The first object of a folder; or another run has removed the folder, with the last object that was there.
      if (!isNotFound(error) || attempt === 10) throw error
      if ((await tree.look(cx, partial)) === undefined) {
        throw new HoldfastError('storage.failed', `${partial} was removed before it was published`, {
          cause: error,
        })
      }
      await makeFolders(cx, tree, key)
    }
  }
}

async function makeFolders(cx: Context, tree: FileTree, key: ObjectKey): Promise<void> {
  for (const folder of foldersOf(key)) {
    try {
      await tree.makeFolder(cx, folder)
    } catch (error) {
      // Its own folder has been removed meanwhile: the next attempt begins again.
      if (!isNotFound(error)) throw error
      return
    }
  }
}

async function create(cx: Context, tree: FileTree, publication: Publication): Promise<void> {
  const { key, partial } = publication
  const outcome = await tree.create?.(cx, partial, key)
  if (outcome === 'created') return
  if (outcome === 'exists') throw existsError(tree, key)
  await createClaimed(cx, tree, publication)
}

/**
 * Where no call of the server creates only: whoever makes the claim folder of a key may look whether the name is free, and rename.
 * A claim left by a killed run is swept like an unfinished file.
 */
async function createClaimed(cx: Context, tree: FileTree, { key, partial }: Publication): Promise<void> {
  const claim = `${partialFolder}/claim-${createHash('sha256').update(key).digest('hex')}`
  if (!(await tree.makeFolder(cx, claim))) throw existsError(tree, key)
  try {
    if ((await tree.look(cx, key)) !== undefined) throw existsError(tree, key)
    await tree.replace(cx, partial, key)
  } finally {
    await tree.removeFolder(cx, claim).catch(() => undefined)
  }
}

export function existsError(tree: FileTree, key: ObjectKey): HoldfastError {
  return new HoldfastError('storage.exists', `${key} is in ${tree.describe()} already`, { details: { key } })
}
