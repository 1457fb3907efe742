import type { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import type { ConnectorFactory, ConnectorSettings } from '../engine/connector.js'
import type { ConnectionSettings, Engine } from '../engine/engine.js'

/** What {@link connectorContract} needs to know of an engine: how to make databases, fill them and look into them. */
export interface ConnectorFixture {
  /** The engine; for a new one what comes with the connector, `factory.ownEngine`. */
  readonly engine: Engine
  readonly factory: ConnectorFactory
  /** A context of the real machine; without a signal, one that never aborts. */
  context(signal?: AbortSignal): Context
  /** A new database that exists and is empty. */
  createDatabase(): Promise<ContractDatabase>
  /** A name for a database that does not exist yet; `drop` removes it where a check has made it. */
  missingDatabase(): Promise<ContractDatabase>
  /** What else the connector must be told: tools, an admin account. */
  settings?(connection: ConnectionSettings): Partial<Omit<ConnectorSettings, 'connection'>>
  /** Loads {@link ConnectorSample} into an empty database. */
  fill(database: ContractDatabase): Promise<void>
  readonly sample: ConnectorSample
  /**
   * How many bytes at the very end of a dump carry nothing, so that a dump cut there is still whole: the date in a closing
   * comment, say. Blank space at the end is left aside in any case. Default 0.
   */
  readonly harmlessTailBytes?: number
  /** That `inspect` tells whether anything is there, and neither which tables nor how they are defined. */
  readonly opaque?: boolean
}

/**
 * What `fill` has made: two tables related by a foreign key, a view, an index, a trigger or its equivalent; NULL, empty,
 * blob, Unicode and extreme numbers as values; at least 2 000 rows in one table; and the tables named here.
 */
export interface ConnectorSample {
  /** A table with rows that nothing refers to; no other table's name begins with the same four characters. */
  readonly lone: string
  /** A table with rows that nothing refers to, with quotes, spaces, Unicode, a percent sign and a leading dash in its name. */
  readonly odd: string
  /** A statement that changes rows of some tables and no definition. */
  readonly changeRows: string
  /** A statement that changes a definition and no rows. */
  readonly changeSchema: string
  /** Where the engine has schemas: one of several, and the keys of {@link ContractDatabase.digest} that belong to it. */
  readonly schema?: { readonly name: string; readonly tables: readonly string[] }
}

/** A database of the test's own. */
export interface ContractDatabase {
  readonly connection: ConnectionSettings
  execute(sql: string): Promise<void>
  /** The names of its tables, without views and what the engine keeps for itself. */
  tables(): Promise<readonly string[]>
  rowCount(table: string): Promise<number>
  /** Per table a digest of every value of every row, in any order of rows; {} for an empty database. */
  digest(): Promise<Readonly<Record<string, string>>>
  /** All definitions, the same text for the same schema. */
  schemaText(): Promise<string>
  drop(): Promise<void>
}

/** The bytes of a part, or how to open them (again, for each time they are asked for). */
export type PartBytes = Buffer | (() => Readable)
