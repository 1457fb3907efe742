import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { DevServerDriver, DevServerSite } from '../../engine/dev-server.js'
import { ownFile } from '../../process/own-program.js'
import { inspect } from './session.js'

/** SQLite is a file: there is nothing to start, and nothing to stop. */
export const sqliteDevServer: DevServerDriver = {
  engine: 'sqlite',
  find: async () => {
    const { DatabaseSync } = await import('@photostructure/sqlite')
    const memory = new DatabaseSync(':memory:')
    const row = memory.prepare('SELECT sqlite_version() AS version').get() as { readonly version: string }
    memory.close()
    return { product: 'SQLite', version: row.version, paths: {} }
  },
  async settle(_cx, site) {
    const path = fileOf(site)
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (there) return
    const { DatabaseSync } = await import('@photostructure/sqlite')
    const database = new DatabaseSync(path)
    // A file of no bytes is taken for a lost one; this writes its first page.
    database.exec('PRAGMA user_version = 1; PRAGMA user_version = 0')
    database.close()
  },
  async ask(cx, site) {
    const facts = await inspect(cx, { engine: 'sqlite', name: fileOf(site), parameters: {} })
    return facts.version
  },
  url: (site) => `sqlite:${pathToFileURL(fileOf(site)).pathname}`,
  guide: () => readFile(ownFile(['dist', 'engines', 'sqlite', 'guide.md']), 'utf8'),
}

function fileOf({ dataDirectory, database }: DevServerSite): string {
  return join(dataDirectory, `${database}.db`)
}
