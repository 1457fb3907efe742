import type { DumpFormat } from '../../engine/connector.js'
import { mysqlSql } from './format-sql.js'

/** The definitions, pieces of the rows, and what acts on rows: each a whole dump of the tool. */
export const parallelFormat: DumpFormat = {
  name: 'mysql-parallel',
  // No single file is such a dump.
  recognises: () => false,
  checker: () => mysqlSql.checker(),
}
