import type { RestoreSource } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import type { ArchivedCollection, Prelude } from './archive.js'
import { ArchiveParser } from './archive-parser.js'
import type { Readable } from 'node:stream'

/**
 * @param signal ends the stream with its reason: a source that has come to a halt would be waited for without end
 * @throws integrity.format where the backup is none of this engine
 */
export async function openArchive(source: RestoreSource, signal: AbortSignal): Promise<Readable> {
  const [part] = source.parts
  if (part === undefined || source.parts.length > 1)
    throw new HoldfastError('integrity.format', 'a dump of MongoDB has one part')
  const stream = await source.open(part)
  // Until it is read, an error of the source has nobody else to hear it; whoever reads gets it all the same.
  stream.on('error', () => undefined)
  const stop = () => stream.destroy(signal.reason as Error)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', stop))
  return stream
}

/** What the archive says it holds: only its beginning is read. @throws integrity.* */
export async function readPrelude(source: RestoreSource, signal: AbortSignal): Promise<Prelude> {
  let prelude: Prelude | undefined
  const parser = new ArchiveParser({ prelude: (read) => (prelude = read) })
  for await (const chunk of await openArchive(source, signal)) {
    parser.push(chunk as Buffer)
    if (prelude !== undefined) return prelude
  }
  parser.end()
  throw new HoldfastError('integrity.truncated', 'the archive of mongodump ends within its beginning')
}

/** What a restore takes from an archive: one database's collections. */
export interface ArchivedDatabase {
  readonly name: string
  readonly collections: readonly ArchivedCollection[]
  /** Other databases in the archive, which stay there. */
  readonly others: readonly string[]
}

/**
 * The one database of the archive, or of several that of the target's name.
 * @throws usage.not-supported where there are several and none of that name
 */
export function databaseOf(prelude: Prelude, target: string): ArchivedDatabase {
  const names = [...new Set(prelude.collections.map(({ database }) => database))].filter(
    (name) => name !== '',
  )
  const name = names.length > 1 ? names.find((each) => each === target) : (names[0] ?? target)
  if (name === undefined) {
    throw new HoldfastError(
      'usage.not-supported',
      `the archive holds several databases: ${names.join(', ')}`,
      {
        hint: 'restore into a database of one of these names',
      },
    )
  }
  return {
    name,
    collections: prelude.collections.filter((each) => each.database === name && isRestored(each)),
    others: names.filter((each) => each !== name),
  }
}

/** Accounts and roles, and what the server keeps for itself, are not restored with a database. */
function isRestored({ name }: ArchivedCollection): boolean {
  return !name.includes('$') && !['system.profile', 'system.indexes'].includes(name)
}
