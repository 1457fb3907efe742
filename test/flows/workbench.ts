import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { onTestFinished } from 'vitest'
import type { DatabaseConfig, HoldfastConfig } from '../../src/config/config.js'
import type { ConnectionSettings } from '../../src/engine/engine.js'
import type { Emit } from '../../src/env/context.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { createHoldfast, type CreateOptions, type Holdfast } from '../../src/holdfast.js'
import type { BackupResult, Outcome } from '../../src/operations/reports.js'
import type { KeyRing } from '../../src/stages/stage.js'
import { Secret } from '../../src/env/secret.js'

/** A folder of the test's own, removed when the test ends. */
export async function testFolder(): Promise<string> {
  const folder = await nodeEnv().temporaryDirectory()
  onTestFinished(() => folder.remove())
  return folder.path
}

/** A Holdfast in a folder, closed when the test ends. */
export async function holdfastIn(
  folder: string,
  config: HoldfastConfig,
  options: CreateOptions = {},
): Promise<Holdfast> {
  const hf = await createHoldfast({ serverName: 'test', ...config }, { baseDirectory: folder, ...options })
  onTestFinished(() => hf.close())
  return hf
}

/** The only outcome's result; its error is thrown. */
export function resultOf(outcomes: readonly Outcome<BackupResult>[]): BackupResult {
  const [outcome, ...others] = outcomes
  if (outcome === undefined || others.length > 0)
    throw new TypeError(`${outcomes.length} outcomes instead of one`)
  if (!outcome.ok) throw outcome.error
  return outcome.result
}

/** The results of several; the first error is thrown. */
export function resultsOf(outcomes: readonly Outcome<BackupResult>[]): readonly BackupResult[] {
  return outcomes.map((outcome) => resultOf([outcome]))
}

/** Every file below a folder, by its path from there. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

/** A small shop: three tables, a view, an index. */
export function makeShop(path: string, customers = 500): void {
  const db = new DatabaseSync(path)
  db.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, photo BLOB);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers, total NUMERIC);
    CREATE TABLE sessions (token TEXT PRIMARY KEY);
    CREATE INDEX orders_by_customer ON orders (customer);
    CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
    BEGIN;`)
  const customer = db.prepare('INSERT INTO customers VALUES (?, ?, ?)')
  const order = db.prepare('INSERT INTO orders VALUES (?, ?, ?)')
  for (let id = 1; id <= customers; id++) {
    customer.run(id, `customer ${id} – ✓`, id % 7 === 0 ? null : Buffer.alloc(40, id))
    order.run(id, id, id / 4)
  }
  db.exec("INSERT INTO sessions VALUES ('s1'), ('s2'); COMMIT")
  db.close()
}

/** Every row of every table, as text. */
export function contentOf(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
    return tables
      .map(({ name }) => {
        const rows = db.prepare(`SELECT * FROM "${String(name)}" ORDER BY 1`).all()
        return `${String(name)}\n${rows.map((row) => JSON.stringify(row)).join('\n')}`
      })
      .join('\n')
  } finally {
    db.close()
  }
}

export function execute(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

/** Keys as the command line gives them. */
export function keyRing(...identities: readonly string[]): KeyRing {
  return {
    identities: () =>
      Promise.resolve(identities.map((text) => ({ source: 'key.txt', text: new Secret(text) }))),
    passphrase: () => Promise.resolve(undefined),
  }
}

/** Collects what an operation tells on the way. */
export function listener(): { readonly emit: Emit; readonly notices: string[]; readonly progress: number[] } {
  const notices: string[] = []
  const progress: number[] = []
  return {
    notices,
    progress,
    emit: (event) => {
      if (event.type === 'notice') notices.push(event.message)
      else progress.push(event.bytes)
    },
  }
}

/** How a configuration names a database that the tests know by its settings. */
export function configOf({
  engine,
  host,
  port,
  user,
  password,
  name,
  parameters,
}: ConnectionSettings): DatabaseConfig {
  return {
    engine,
    name,
    parameters,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  }
}
