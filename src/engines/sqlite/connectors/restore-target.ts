import { access, constants, realpath, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isPart } from '../../../engine/restored-part.js'
import type { Context } from '../../../env/context.js'
import type { RestoreRequest, RestoreSource, RestoreTarget } from '../../../engine/connector.js'
import type { ConnectionSettings, ServerFacts } from '../../../engine/engine.js'
import { HoldfastError } from '../../../errors.js'
import { inspect } from '../session.js'

/** The file to restore into, as it is before anything has changed. */
export interface TargetFile {
  /** Behind links. */
  readonly path: string
  readonly exists: boolean
  /** Absent where there is no file, or one that SQLite cannot read. */
  readonly server?: ServerFacts
}

/** Looks at the target. @throws database.not-found, refused.not-empty, database.denied, database.busy, storage.full */
export async function lookAtTarget(
  cx: Context,
  connection: ConnectionSettings,
  source: RestoreSource,
  request: RestoreRequest,
): Promise<TargetFile> {
  const path = await realpath(connection.name).catch(() => connection.name)
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined && !found.isFile())
    throw new HoldfastError('database.not-found', `${path} is not a file`)
  if (found === undefined && !request.create)
    throw new HoldfastError('database.not-found', `${path} does not exist`)
  await requireRoom(path, found !== undefined, source)
  if (found === undefined) return { path, exists: false }
  const server = await inspect(cx, { ...connection, name: path }).catch(ignoreDamage)
  if (request.create || (request.clean === 'none' && !isPart(request))) requireEmpty(path, request, server)
  return { path, exists: true, ...(server === undefined ? {} : { server }) }
}

/**
 * After a failure: what the program has begun on an existing database stands in its journal, if it was ended or the disk was
 * full, and to open the database takes it back. The next application to open it would do the same.
 */
export async function takeBack(
  cx: Context,
  connection: ConnectionSettings,
  { path, server }: TargetFile,
): Promise<void> {
  if (server === undefined) return
  const unhurried = { ...cx, signal: new AbortController().signal }
  await inspect(unhurried, { ...connection, name: path }).catch(() => undefined)
}

export function describeTarget(
  { path, exists, server }: TargetFile,
  losses: readonly string[],
): RestoreTarget {
  const damaged = exists && server === undefined
  return {
    place: `sqlite:${path}`,
    exists,
    tools: [],
    losses: damaged ? [`${path} is damaged or not a SQLite database; the file is replaced`] : losses,
    warnings: damaged ? [`programs that have ${path} open must be restarted after the restore`] : [],
    ...(server === undefined ? {} : { server }),
  }
}

/** Restoring over a damaged database is what backups are for. */
function ignoreDamage(error: unknown): undefined {
  if (error instanceof HoldfastError && error.code === 'database.corrupt') return undefined
  throw error
}

/** A damaged file counts as holding something. */
function requireEmpty(path: string, { create }: RestoreRequest, server: ServerFacts | undefined): void {
  if (server?.objectCount === 0) return
  throw new HoldfastError('refused.not-empty', `${path} holds a database already`, {
    hint: create ? 'leave out --create to replace it' : 'choose another --clean, or an empty target',
  })
}

/** The new database is made whole beside the old one. */
async function requireRoom(path: string, exists: boolean, { parts }: RestoreSource): Promise<void> {
  const folder = dirname(path)
  const stats = await statfs(folder).catch((error: unknown) => {
    throw new HoldfastError('database.not-found', `the folder ${folder} does not exist`, { cause: error })
  })
  for (const place of exists ? [folder, path] : [folder]) {
    await access(place, constants.W_OK).catch((error: unknown) => {
      throw new HoldfastError('database.denied', `${place} may not be written to`, { cause: error })
    })
  }
  const wanted = parts.reduce((sum, { plainBytes = 0 }) => sum + plainBytes, 0)
  if (stats.bavail * stats.bsize < wanted) {
    throw new HoldfastError(
      'storage.full',
      `${folder} has no room for ${wanted} bytes beside the old database`,
    )
  }
}
