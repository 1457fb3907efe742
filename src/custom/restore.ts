import { chmod, rename, rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { ConnectorFactory, RestoreSource } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { connected } from '../streams/connect.js'
import { measuring } from '../streams/measure.js'
import type { DatabaseToRestore } from './definition.js'
import { placeOf } from './looks.js'
import { namedError } from './user-error.js'

export interface CustomRestore {
  readonly connector: ConnectorFactory
  readonly replacesFile: boolean
  readonly source: RestoreSource
  readonly database: DatabaseToRestore
  readonly work: (database: DatabaseToRestore, dump: Readable) => Promise<readonly string[]>
}

/**
 * Lets a connector of the user's own restore, and believes it only where the dump was read to its end and was whole.
 * @throws what went wrong, with the target as it was; restore.incomplete where the connector cannot undo
 */
export async function restoreChecked(cx: Context, restore: CustomRestore): Promise<readonly string[]> {
  return restore.replacesFile ? replaceFile(cx, restore) : restoreInPlace(cx, restore)
}

async function restoreInPlace(cx: Context, restore: CustomRestore): Promise<readonly string[]> {
  try {
    return await feed(cx, restore, restore.database)
  } catch (thrown) {
    if (restore.connector.capabilities.transactionalRestore) throw thrown
    const error = namedError(restore.connector.name, thrown)
    throw new HoldfastError(
      'restore.incomplete',
      `the restore into ${placeOf(restore.database.connection)} stopped midway: ${error.message}`,
      { cause: error, details: error.details },
    )
  }
}

/** Into a new file beside the old one, which it replaces in one step. */
async function replaceFile(cx: Context, restore: CustomRestore): Promise<readonly string[]> {
  const { connection } = restore.database
  const path = connection.name
  const beside = `${path}.${Buffer.from(cx.env.randomBytes(6)).toString('hex')}.partial`
  try {
    const warnings = await feed(cx, restore, {
      ...restore.database,
      connection: { ...connection, name: beside },
    })
    const old = await stat(path).catch(() => undefined)
    if (old !== undefined) await chmod(beside, old.mode & 0o777)
    cx.signal.throwIfAborted()
    await rename(beside, path)
    return warnings
  } catch (error) {
    throw cx.signal.aborted ? cx.signal.reason : namedError(restore.connector.name, error)
  } finally {
    await rm(beside, { force: true })
  }
}

async function feed(
  cx: Context,
  { connector, source, work }: CustomRestore,
  database: DatabaseToRestore,
): Promise<readonly string[]> {
  const [part] = source.parts
  if (part === undefined) throw new HoldfastError('integrity.format', 'this backup has no parts')
  const checker = connector.format.checker()
  const { through } = measuring({
    push: (chunk) => checker.push(chunk),
    end({ bytes }) {
      if (bytes === 0) throw new HoldfastError('integrity.empty', 'the dump is empty')
      checker.end()
    },
  })
  // Ends cleanly only where the source did and the dump is whole.
  const dump = connected([await source.open(part), through], cx.signal)
  let failure: Error | undefined
  dump.once('error', (error) => (failure = error))
  try {
    const warnings = await work(database, dump)
    if (failure !== undefined) throw failure
    if (dump.readableEnded) return warnings
    throw new HoldfastError(
      'connector.failed',
      `the connector ${connector.name} has not read the dump to its end`,
    )
  } catch (thrown) {
    if (cx.signal.aborted) throw cx.signal.reason
    // What is wrong with the dump says more than what the reader made of it.
    throw failure ?? namedError(connector.name, thrown)
  } finally {
    dump.destroy()
  }
}
