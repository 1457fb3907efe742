import { openSync, read } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { HoldfastError } from '../../../errors.js'
import { busyTimeoutMs, openDatabase, type Database } from './database.js'
import { write } from './output.js'
import { leaveProof } from './fingerprint.js'
import type { CopyInput } from './protocol.js'

const chunkBytes = 1024 * 1024

/**
 * Writes the file's bytes to stdout while locks keep them as they are. The file is opened before the locks are taken and
 * closed with the process: closing it earlier would drop them (https://sqlite.org/howtocorrupt.html, 2.2). A bare descriptor is
 * nothing that Node closes by itself.
 */
export async function copyFile({ path, proof }: CopyInput): Promise<void> {
  const file = openSync(path, 'r')
  const reader = await openDatabase(path, 'write')
  if (reader.text('PRAGMA journal_mode') === 'wal') await freezeWithWal(path, reader)
  else beginReading(reader)
  let left = reader.number('PRAGMA page_count') * reader.number('PRAGMA page_size')
  while (left > 0) {
    const buffer = Buffer.allocUnsafe(Math.min(left, chunkBytes))
    const { bytesRead } = await promisify(read)(file, buffer, 0, buffer.length, null)
    if (bytesRead === 0)
      throw new HoldfastError('database.corrupt', `${path} is shorter than its header says`)
    await write(buffer.subarray(0, bytesRead))
    left -= bytesRead
  }
  await leaveProof(reader, proof)
}

/** With a rollback journal this shared lock is enough: nobody writes to the file while it is held. */
function beginReading(reader: Database): void {
  reader.execute('BEGIN')
  reader.number('SELECT count(*) FROM sqlite_schema')
}

/**
 * With a WAL, the file alone is the whole database at the moment when all of the WAL has been written back. A writer's lock
 * keeps new frames out until `reader` has begun there. Such a reader takes read lock 0 and uses no WAL, and no checkpoint
 * writes to the file while that lock is held (walTryBeginRead and walCheckpoint in SQLite's wal.c); writers go on meanwhile.
 */
async function freezeWithWal(path: string, reader: Database): Promise<void> {
  const writer = await openDatabase(path, 'write')
  const deadline = performance.now() + busyTimeoutMs
  while (performance.now() < deadline) {
    writer.execute('BEGIN IMMEDIATE')
    const { busy, log, checkpointed } = reader.row('PRAGMA wal_checkpoint(PASSIVE)') ?? {}
    const whole = busy === 0n && log === checkpointed
    if (whole) beginReading(reader)
    writer.execute('ROLLBACK')
    if (whole) {
      writer.close()
      return
    }
    // Another reader still needs an older state of the file.
    await pause(50)
  }
  throw new HoldfastError('database.busy', `${path}: other readers keep the WAL from being written back`, {
    hint: 'end long transactions, or use sqlite-backup',
  })
}
