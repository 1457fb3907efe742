/** Databases of the tests' own, and exact looks into them. Used by the tests of this room alone. */
import { createHash, randomBytes } from 'node:crypto'
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'
import type { ConnectionSettings } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { quoteName } from './quoting.js'

export interface ScratchAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export class ScratchDatabase {
  readonly name: string
  readonly connection: ConnectionSettings
  readonly #address: ScratchAddress

  constructor(address: ScratchAddress, engine: string, name = `hf_${randomBytes(6).toString('hex')}`) {
    this.name = name
    this.#address = address
    this.connection = {
      engine,
      name,
      host: address.host,
      port: address.port,
      user: address.user,
      password: new Secret(address.password),
      parameters: {},
    }
  }

  async create(options = ''): Promise<this> {
    await this.#on(undefined, (connection) =>
      connection.query(`CREATE DATABASE ${quoteName(this.name)} ${options}`),
    )
    return this
  }

  async drop(): Promise<void> {
    await this.#on(undefined, (connection) =>
      connection.query(`DROP DATABASE IF EXISTS ${quoteName(this.name)}`),
    )
  }

  /** One or more statements, without the client's DELIMITER. */
  async execute(sql: string): Promise<void> {
    await this.#on(this.name, (connection) => connection.query(sql))
  }

  /** Statements one after the other, in one session. */
  async run(statements: readonly string[]): Promise<void> {
    await this.#on(this.name, async (connection) => {
      for (const sql of statements) {
        await connection.query(sql).catch((error: unknown) => {
          throw new Error(`${(error as Error).message} in: ${sql}`, { cause: error })
        })
      }
    })
  }

  async rows(sql: string): Promise<readonly RowDataPacket[]> {
    const [rows] = await this.#on(this.name, (connection) => connection.query<RowDataPacket[]>(sql))
    return rows
  }

  /** The first column of the rows. */
  async column(sql: string): Promise<readonly string[]> {
    return (await this.rows(sql)).map((row) => String(Object.values(row)[0]))
  }

  tables(): Promise<readonly string[]> {
    return this.column(
      `SELECT TABLE_NAME FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1`,
    )
  }

  async rowCount(table: string): Promise<number> {
    return Number((await this.column(`SELECT COUNT(*) FROM ${quoteName(table)}`))[0])
  }

  /** Per table a digest of the bytes of every value, as they are stored, hidden columns and history included. */
  async digest(): Promise<Readonly<Record<string, string>>> {
    const digests: Record<string, string> = {}
    for (const table of await this.tables()) digests[table] = await this.#digestOf(table)
    return digests
  }

  async #digestOf(table: string): Promise<string> {
    const columns = await this.column(
      `SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()
        AND TABLE_NAME = ${quoteText(table)} ORDER BY ORDINAL_POSITION`,
    )
    const [type] = await this.column(
      `SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteText(table)}`,
    )
    const versioned = type === 'SYSTEM VERSIONED'
    const hidden = versioned && !columns.includes('rs') ? ', row_start, row_end' : ''
    const rows = await this.#on(this.name, async (connection) => {
      // No conversion: the bytes of each column as they are stored.
      await connection.query(`SET character_set_results = NULL, time_zone = '+00:00'`)
      const [found] = await connection.query<RowDataPacket[]>({
        sql: `SELECT ${columns.map(quoteName).join(', ')}${hidden} FROM ${quoteName(table)}${versioned ? ' FOR SYSTEM_TIME ALL' : ''}`,
        rowsAsArray: true,
        typeCast: (field) => field.buffer()?.toString('hex') ?? null,
      })
      return found.map((row) => JSON.stringify(row))
    })
    return createHash('sha256').update(rows.sort().join('\n')).digest('hex')
  }

  /** All definitions as the server writes them, counters included. */
  async schemaText(): Promise<string> {
    return this.#on(this.name, async (connection) => {
      await connection.query(`SET sql_mode = '', time_zone = '+00:00'`)
      const ask = async (sql: string) => (await connection.query<RowDataPacket[]>(sql))[0]
      const lines: unknown[] = await ask(
        `SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA
          WHERE SCHEMA_NAME = DATABASE()`,
      )
      const each = async (kind: string, list: string) => {
        for (const row of await ask(list)) {
          const [created] = await ask(`SHOW CREATE ${kind} ${quoteName(String(row['name']))}`)
          lines.push(created)
        }
      }
      const schema = `WHERE TABLE_SCHEMA = DATABASE()`
      await each(
        'TABLE',
        `SELECT TABLE_NAME AS name FROM information_schema.TABLES ${schema} AND TABLE_TYPE NOT IN ('VIEW', 'SEQUENCE') ORDER BY 1, BINARY TABLE_NAME`,
      )
      await each(
        'SEQUENCE',
        `SELECT TABLE_NAME AS name FROM information_schema.TABLES ${schema} AND TABLE_TYPE = 'SEQUENCE' ORDER BY 1`,
      )
      await each('VIEW', `SELECT TABLE_NAME AS name FROM information_schema.VIEWS ${schema} ORDER BY 1`)
      for (const kind of ['FUNCTION', 'PROCEDURE', 'PACKAGE', 'PACKAGE BODY']) {
        await each(
          kind,
          `SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = '${kind}' ORDER BY 1`,
        )
      }
      await each(
        'EVENT',
        `SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() ORDER BY 1`,
      )
      lines.push(
        await ask(
          `SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER, ACTION_STATEMENT,
            SQL_MODE, DEFINER, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION
            FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1`,
        ),
      )
      // MySQL writes this for a column or leaves it to the collation, as the table was once made.
      return lines
        .map((line) => JSON.stringify(line, null, 1).replace(/ CHARACTER SET \w+(?= COLLATE )/gu, ''))
        .join('\n')
    })
  }

  async #on<Result>(
    database: string | undefined,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    const { host, port, user, password } = this.#address
    const connection = await createConnection({
      ...{ host, port, user, password },
      ...(database === undefined ? {} : { database }),
      charset: 'utf8mb4',
      multipleStatements: true,
      dateStrings: true,
    })
    try {
      return await work(connection)
    } finally {
      await connection.end()
    }
  }
}

export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
