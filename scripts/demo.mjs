/**
 * The main job, on a real SQLite database, with nothing but Node: make an application's database, back it up (zstd, age), list,
 * verify, damage the database, restore it, and prove that every table is equal.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DatabaseSync } from '@photostructure/sqlite'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { fillShop } from './demo-shop.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'demo')
const database = join(folder, 'shop.sqlite3')
const keyFile = join(folder, 'key.txt')
const started = performance.now()

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true, mode: 0o700 })

say('1. An application database')
const rows = makeShop()
const before = digests()
console.log(
  `   ${before.size} tables, ${rows.toLocaleString('en')} rows, ${mebibytes(database)} MiB: ${shown(database)}`,
)

say('2. A key and a configuration')
const identity = await generateIdentity()
const recipient = await identityToRecipient(identity)
writeFileSync(keyFile, `# public key: ${recipient}\n${identity}\n`, { mode: 0o600 })
writeFileSync(
  join(folder, 'holdfast.config.json'),
  `${JSON.stringify(
    {
      databases: { shop: 'sqlite:./shop.sqlite3' },
      storages: { main: { driver: 'local', path: './backups' } },
      compress: 'zstd',
      encrypt: { age: { recipients: [recipient] } },
      retention: { last: 7, daily: 14 },
      serverName: 'demo',
    },
    undefined,
    2,
  )}\n`,
)
console.log(`   The private key is in ${shown(keyFile)}; only the public one is in the configuration.`)

say('3. Back up, list, verify')
holdfast('backup')
holdfast('list')
holdfast('verify', '--identity', 'key.txt')

say('4. A disaster')
damage()
console.log(`   Some 40 kB in the middle of ${shown(database)} are overwritten. SQLite says: ${complaint()}`)

say('5. Restore')
holdfast('restore', 'latest', '--identity', 'key.txt', '--yes')

say('6. Proof')
const after = digests()
for (const [table, digest] of before) {
  if (after.get(table) !== digest) fail(`table ${table} differs after the restore`)
}
if (after.size !== before.size) fail(`${after.size} tables instead of ${before.size}`)
console.log(`   All ${before.size} tables are equal, row by row, to what they were before.`)
console.log(`
Done in ${((performance.now() - started) / 1000).toFixed(1)} s. Look around in ${shown(folder)}:
   shop.sqlite3          the database, restored
   backups/shop/         the backup (an age file; inside it zstd; inside that a SQLite database) and its manifest
   key.txt               the key that opens it
   holdfast.config.json  the configuration
`)

function makeShop() {
  const db = new DatabaseSync(database)
  try {
    return fillShop(db)
  } finally {
    db.close()
  }
}

/** A digest of every row of every table, in the order of the primary key. */
function digests() {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    const tables = db
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .all()
      .map(({ name }) => name)
    return new Map(
      tables.map((table) => {
        const hash = createHash('sha256')
        for (const row of db.prepare(`SELECT * FROM "${table}" ORDER BY 1, 2`).iterate()) {
          hash.update(
            JSON.stringify(row, (_key, value) => (value instanceof Uint8Array ? [...value] : value)),
          )
        }
        return [table, hash.digest('hex')]
      }),
    )
  } finally {
    db.close()
  }
}

function damage() {
  const file = openSync(database, 'r+')
  writeSync(file, Buffer.alloc(40_000, 'disaster '), 0, 40_000, Math.floor(statSync(database).size / 2))
  closeSync(file)
}

function complaint() {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    return String(db.prepare('PRAGMA quick_check(1)').get()?.quick_check).split('\n').at(-1)
  } catch (error) {
    return error.message
  } finally {
    db.close()
  }
}

function holdfast(...args) {
  console.log(`\n   $ holdfast ${args.join(' ')}`)
  const result = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (result.status !== 0) fail(`holdfast ${args[0]} ended with status ${result.status}`)
}

function fail(message) {
  console.error(`\nThe demo failed: ${message}.`)
  process.exit(1)
}

function say(title) {
  console.log(`\n${title}`)
}

function mebibytes(file) {
  return (statSync(file).size / 1024 / 1024).toFixed(1)
}

function shown(path) {
  return relative(process.cwd(), path) || '.'
}
