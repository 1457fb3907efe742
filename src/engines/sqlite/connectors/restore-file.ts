import { isPart } from '../../../engine/restored-part.js'
import type { Context } from '../../../env/context.js'
import type {
  RestoreFacts,
  RestorePart,
  RestoreRequest,
  RestoreSource,
  RestoreTarget,
} from '../../../engine/connector.js'
import type { ConnectionSettings } from '../../../engine/engine.js'
import { HoldfastError } from '../../../errors.js'
import { fileFormat } from '../file-format.js'
import { ask } from '../tools.js'
import { fileBeside } from './file-beside.js'
import { lossesOfPart, partOf } from './restore-part.js'
import { describeTarget, lookAtTarget, takeBack } from './restore-target.js'

/** Everything that can be seen before a restore of a whole file. */
export async function prepareFileRestore(
  cx: Context,
  connection: ConnectionSettings,
  source: RestoreSource,
  request: RestoreRequest,
): Promise<RestoreTarget> {
  onlyPart(source)
  const target = await lookAtTarget(cx, connection, source, request)
  if (isPart(request)) return describeTarget(target, lossesOfPart(target, request))
  const count = target.server?.objectCount ?? 0
  return describeTarget(
    target,
    count === 0
      ? []
      : [`all of ${target.path} is replaced: its tables, views, indexes and triggers (${count})`],
  )
}

/**
 * Writes the backup beside the target, checks it, and puts it in the target's place.
 * @throws integrity.* with the target as it was
 */
export async function restoreFile(
  cx: Context,
  connection: ConnectionSettings,
  source: RestoreSource,
  request: RestoreRequest,
): Promise<RestoreFacts> {
  const part = onlyPart(source)
  const target = await lookAtTarget(cx, connection, source, request)
  const beside = await fileBeside(cx, target.path)
  try {
    const checker = fileFormat.checker()
    await beside.write(await source.open(part), (chunk) => checker.push(chunk))
    checker.end()
    // The digest of a backup says that these are the bytes whose structure was checked when it was made.
    const checked = part.plainBytes !== undefined
    const files = { from: beside.path, target: target.path, checked }
    const { warnings } = isPart(request)
      ? await ask(cx, 'install-part', { ...files, ...partOf(request) })
      : await ask(cx, 'install', files)
    return { warnings }
  } catch (error) {
    await takeBack(cx, connection, target)
    throw error
  } finally {
    await beside.remove()
  }
}

/** @throws integrity.format */
export function onlyPart({ parts }: RestoreSource): RestorePart {
  const [part, ...more] = parts
  if (part === undefined || more.length > 0) {
    throw new HoldfastError(
      'integrity.format',
      `a SQLite backup has one part, and this one has ${parts.length}`,
    )
  }
  return part
}
