import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevServerSite } from '../engine/dev-server.js'
import type { Context } from '../env/context.js'
import { Secret } from '../env/secret.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { ofOneLife, oldName, remove, replacementName } from './data-folder.js'
import { standGuard, type Guard } from './guard/guard.js'
import { ServerLife, type ServerParts } from './life.js'
import { syncFolder, syncTree } from './tree-copy.js'

/**
 * Has a new server filled, beside the one that is there and with the same account; then its data take the place of the old ones.
 * Until that moment the old server is untouched and goes on serving, and it stays where anything goes wrong.
 * @param called the server, for messages
 * @param fill restores into the server that it is given
 */
export async function replaceData(
  parts: ServerParts,
  life: ServerLife,
  called: string,
  fill: (cx: Context, site: DevServerSite) => Promise<void>,
): Promise<void> {
  const { cx, driver } = parts
  const replacement = new ServerLife(await replacementParts(parts, life))
  const { folder } = replacement
  // What a machine that went down has left.
  await replacement.discarded()
  const guard = standGuard(cx.env, { folder, signal: driver.discardSignal ?? 'SIGKILL', remove: true })
  replacement.onStart = () => guard.started()
  try {
    await filled(cx, replacement, fill).catch((thrown: unknown) => {
      throw asTheyWere(cx, thrown, called)
    })
    await takePlace(replacement, life.uninterrupted(), guard)
  } finally {
    await replacement.discarded()
    guard.dismiss()
  }
}

async function replacementParts(parts: ServerParts, life: ServerLife): Promise<ServerParts> {
  const { folder, settings } = parts
  const { user, database, password } = await life.registered()
  const { port: _, ...others } = settings
  return {
    ...parts,
    folder: join(folder, replacementName),
    settings: { ...others, user, database, password: new Secret(password) },
    durable: false,
    filling: true,
    like: join(folder, 'data'),
  }
}

/** Starts it, has it filled, and stops it in good order, so that its data can be moved; they are on the disk then. */
async function filled(
  cx: Context,
  replacement: ServerLife,
  fill: (cx: Context, site: DevServerSite) => Promise<void>,
): Promise<void> {
  await fill(cx, await replacement.started())
  cx.signal.throwIfAborted()
  await replacement.stopped()
  await syncTree(cx, join(replacement.folder, 'data'))
}

/** The server is started again where it ran. */
async function takePlace(replacement: ServerLife, life: ServerLife, guard: Guard): Promise<void> {
  const { folder } = life
  const [data, old] = [join(folder, 'data'), join(folder, oldName)]
  const filledData = join(replacement.folder, 'data')
  const record = await life.record()
  const ran = await life.ended()
  for (const name of [oldName, ...ofOneLife]) await remove(join(folder, name))
  // Where a program still looks at it, as on Windows.
  await rename(data, old).catch(() => remove(data))
  await rename(filledData, data)
  await syncFolder(folder)
  if (record !== undefined) {
    // They have been settled with the password that this server goes by.
    const { initialPassword: _, ...settled } = record
    await life.write(settled)
  }
  // A thousand files take a moment to remove: the guard, a process of its own, removes them with the folder that it watches.
  await rename(old, filledData).catch(() => remove(old))
  await Promise.all([ran ? life.started() : undefined, guard.finish()])
}

/** The server that was restored in part, whose address the error names, is gone when its user hears of it. */
function asTheyWere(cx: Context, thrown: unknown, called: string): unknown {
  const error = asHoldfastError(cx.signal.aborted ? cx.signal.reason : thrown)
  const isIncomplete = error.code === 'restore.incomplete'
  if (!isIncomplete && !cx.signal.aborted) return thrown
  const { code, message } = isIncomplete ? asHoldfastError(error.cause, 'tool.failed') : error
  return new HoldfastError(code, `${message}; the data of ${called} are as they were`, { cause: thrown })
}
