import { checkStructure } from './check.js'
import type { FingerprintLevel } from '../../../engine/fingerprinter.js'
import { databaseError, loadDriver, type Database } from './database.js'
import { readDefinitions, readFingerprint } from './fingerprint.js'
import type { BackupInput, BackupOutput } from './protocol.js'
import { openSameState } from './same-state.js'

/**
 * Copies a database with SQLite's online backup, the WAL included. The open read transaction keeps the snapshot: without it
 * the backup starts again whenever another process writes, and never ends under a busy writer. With a WAL, writers go on
 * meanwhile; with a rollback journal they wait at their commit, as for any reader.
 *
 * SQLite copies on a thread of its own; meanwhile the same snapshot is checked, where it could be opened twice.
 */
export async function backUp({ path, copy, fingerprint: level }: BackupInput): Promise<BackupOutput> {
  const { backup } = await loadDriver()
  const { first, second } = await openSameState(path)
  const copied = backup(first.driver, copy, { rate: -1 })
  let proof: Proof = {}
  try {
    if (second !== undefined) {
      checkStructure(second)
      proof = proofOf(second, level)
    }
  } finally {
    await copied.catch((error: unknown) => {
      throw databaseError(error, path)
    })
  }
  if (second === undefined) proof = proofOf(first, level)
  second?.close()
  first.execute('COMMIT')
  first.close()
  return { checked: second !== undefined, ...proof }
}

type Proof = Pick<BackupOutput, 'fingerprint'>

function proofOf(database: Database, level: FingerprintLevel): Proof {
  if (level === 'none') return {}
  const found = readFingerprint(database, level, () => true)
  return { fingerprint: { ...found, definitions: readDefinitions(database) } }
}
