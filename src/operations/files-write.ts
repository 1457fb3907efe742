import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ExtractInput, Unpacked } from '../files/program/protocol.js'
import { sweepTarget, unpackArchive } from '../files/tools.js'
import type { FolderTarget } from './files-target.js'

/**
 * Makes the whole folder beside the target, then gives it the target's name. Until then the target is as it was; what it held is removed
 * last.
 * @param warn told what is left behind
 */
export async function restoreBeside(
  cx: Context,
  { path, exists }: FolderTarget,
  input: ExtractInput,
  archive: () => Promise<Readable>,
  warn: (message: string) => void,
): Promise<Unpacked> {
  const beside = join(dirname(path), `.${basename(path)}.holdfast-${input.token}`)
  const [partial, old] = [`${beside}.partial`, `${beside}.old`]
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
  const bytes = await archive()
  try {
    return await unpackArchive(cx, input, bytes)
  } catch (thrown) {
    await sweepTarget({ ...cx, signal: new AbortController().signal }, input.target, input.token).catch(
      () => undefined,
    )
    const { code, message } = asHoldfastError(thrown)
    const what = `${message}; some files in ${input.target} are restored, each of them whole, and the others are as they were`
    if (code.startsWith('interrupted.')) throw new HoldfastError(code, what, { cause: thrown })
    throw new HoldfastError('restore.incomplete', what, {
      cause: thrown,
      hint: 'see the message, then run the restore again with --on-conflict replace',
    })
  }
}

function asItWas(thrown: unknown, path: string): HoldfastError {
  const { code, message, hint, details } = asHoldfastError(thrown, 'storage.failed')
  return new HoldfastError(code, `${message}; ${path} is as it was`, { cause: thrown, hint, details })
}

async function removeTree(path: string, warn: (message: string) => void): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error: Error) => {
    warn(`${path} could not be removed: ${error.message}`)
  })
}
