/**
 * An application at work: writes a row of a few bytes some twenty times a second, until it is killed or its parent is gone.
 */
import { DatabaseSync } from '@photostructure/sqlite'

const database = new DatabaseSync(process.argv[2])
database.exec('pragma busy_timeout = 10000')
const insert = database.prepare('insert into heartbeat values (?)')
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) process.exit()
  // The statement alone does not keep the connection: it would be closed when the database object is collected.
  if (database.isOpen) insert.run(new Date().toISOString())
}, 50)
