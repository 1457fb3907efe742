import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ExtractInput, Unpacked } from '../files/program/protocol.js'
import { folderBeside, isDeadFolder } from '../files/remains.js'
import { sweepTarget, unpackArchive } from '../files/tools.js'
import type { Folder } from './files-folder.js'

/**
 * Makes the whole folder beside the target, then gives it the target's name. Until then the target is as it was; what it held is removed
 * last.
 * @param warn told what is left behind
 */
export async function restoreBeside(
  cx: Context,
  { path, exists }: Folder,
  input: ExtractInput,
  archive: () => Promise<Readable>,
  warn: (message: string) => void,
): Promise<Unpacked> {
  const [parent, name] = [dirname(path), basename(path)]
  const partial = join(parent, folderBeside(name, input.token, 'partial'))
  const old = join(parent, folderBeside(name, input.token, 'old'))
  await removeRemains(parent, name, exists, warn)
  let done: Unpacked
  try {
    await mkdir(partial)
    done = await unpackArchive(cx, { ...input, target: partial }, await archive())
    cx.signal.throwIfAborted()
    if (exists) await rename(path, old)
  } catch (thrown) {
    await removeTree(partial, warn)
    throw asItWas(thrown, path)
  }
  try {
    await rename(partial, path)
  } catch (thrown) {
    if (exists) await rename(old, path)
    await removeTree(partial, warn)
    throw asItWas(thrown, path)
  }
  if (exists) await removeTree(old, warn)
  return done
}

/** Puts the files into the target, each in one step. */
export async function restoreInto(
  cx: Context,
  input: ExtractInput,
  archive: () => Promise<Readable>,
): Promise<Unpacked> {
  await sweepTarget(cx, input.target, input.token)
  const bytes = await archive()
  try {
    return await unpackArchive(cx, input, bytes)
  } catch (thrown) {
    await sweepTarget({ ...cx, signal: new AbortController().signal }, input.target, input.token).catch(
      () => undefined,
    )
    throw partlyRestored(thrown, input.target)
  }
}

/** The error of a restore, each file by itself, that did not come to its end. */
export function partlyRestored(thrown: unknown, place: string): HoldfastError {
  const { code, message } = asHoldfastError(thrown)
  const what = `${message}; some files in ${place} are restored, each of them whole, and the others are as they were`
  if (code.startsWith('interrupted.')) return new HoldfastError(code, what, { cause: thrown })
  return new HoldfastError('restore.incomplete', what, {
    cause: thrown,
    hint: 'see the message, then run the restore again with --on-conflict replace',
  })
}

function asItWas(thrown: unknown, path: string): HoldfastError {
  const { code, message, hint, details } = asHoldfastError(thrown, 'storage.failed')
  return new HoldfastError(code, `${message}; ${path} is as it was`, { cause: thrown, hint, details })
}

/** What killed restores have left. Where the target is gone, what a killed one has put aside is all there is, and stays. */
async function removeRemains(
  parent: string,
  name: string,
  exists: boolean,
  warn: (message: string) => void,
): Promise<void> {
  for (const entry of await readdir(parent)) {
    const place = join(parent, entry)
    const isOld = isDeadFolder(entry, name, 'old')
    if (isDeadFolder(entry, name, 'partial') || (isOld && exists)) await removeTree(place, warn)
    else if (isOld) warn(`${place} is what an interrupted restore has put aside; it stays there`)
  }
}

async function removeTree(path: string, warn: (message: string) => void): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error: Error) => {
    warn(`${path} could not be removed: ${error.message}`)
  })
}
