/** The two families of MySQL servers, for tests that run on both. */
import { delimiter } from 'node:path'
import { mysql } from '../../src/engines/mysql/engine.js'
import { needsMysql, needsServer, type Need } from './needs.js'

const mariadb = needsServer('mariadb')

export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export interface Family {
  readonly engine: 'mariadb' | 'mysql'
  readonly needs: Need
  readonly address: () => Address
}

export const families: readonly Family[] = [
  {
    engine: 'mariadb',
    needs: mariadb,
    address() {
      const { host, port, user, password } = mariadb.server()
      return { host, port, user, password }
    },
  },
  {
    engine: 'mysql',
    needs: needsMysql(),
    address: mysqlAddress,
  },
]

/** Where MySQL's programs are, if not in PATH. Those of each family are found by what they say of themselves. */
const binDirectory = process.env['HOLDFAST_TEST_MYSQL_BIN']
if (binDirectory !== undefined) process.env['PATH'] = `${binDirectory}${delimiter}${process.env['PATH']}`

/** Of the server that `HOLDFAST_TEST_MYSQL` names. */
export function mysqlAddress(): Address {
  const {
    host = '127.0.0.1',
    port = 3306,
    user = 'root',
    password,
  } = mysql.parse(process.env['HOLDFAST_TEST_MYSQL'] ?? '', '/')
  return { host, port, user, password: password?.reveal() ?? '' }
}
