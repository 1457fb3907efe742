import { HoldfastError } from '../../../errors.js'
import { StatementSplitter } from '../sql-text.js'
import { openDatabase } from './database.js'
import { Loader } from './loader.js'
import { endOfSql, type LoadInput } from './protocol.js'

/**
 * Runs the SQL on stdin in one transaction, which is committed only after the SQL has come to its own end.
 * @throws integrity.truncated, integrity.empty, integrity.format, refused.not-empty, database.query-failed
 */
export async function loadSql({ path, mode }: LoadInput): Promise<null> {
  const database = await openDatabase(path, 'write')
  // Rows that broke a rule in the source were there all the same.
  database.execute('PRAGMA ignore_check_constraints = ON; PRAGMA cache_size = -32768')
  // A new file is thrown away if this fails, and is synced to disk before it is used.
  if (mode === 'new')
    database.execute('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE')
  const splitter = new StatementSplitter()
  const loader = new Loader(database, mode)
  let ended = false
  for await (const data of process.stdin) {
    const piece = data as Buffer
    const end = piece.indexOf(endOfSql)
    if (end >= 0 && end < piece.length - 1)
      throw new HoldfastError('integrity.format', 'the SQL holds a NUL byte')
    ended = end >= 0
    for (const statement of splitter.push(ended ? piece.subarray(0, -1) : piece)) loader.run(statement)
  }
  if (!ended) throw new HoldfastError('integrity.truncated', 'the SQL broke off')
  if (!splitter.atEnd) throw new HoldfastError('integrity.truncated', 'the SQL ends within a statement')
  loader.finish()
  database.close()
  return null
}
