import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quoted, type Contestant } from './measure.js'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

/** Whether there is a build to measure. */
export const built = existsSync(main)

/** The command line, as a user runs it. */
export function holdfast(...args: readonly string[]): string {
  return [process.execPath, main, ...args].map(quoted).join(' ')
}

/** A backup by the command line into a local storage, with every default but those given. */
export async function backupContestant(options: {
  readonly name: string
  readonly url: string
  readonly folder: string
  readonly compress?: string
  /** Of the database, beside its URL. */
  readonly settings?: Readonly<Record<string, unknown>>
}): Promise<Contestant & { readonly config: string }> {
  const storage = join(options.folder, 'storage')
  const config = join(options.folder, 'holdfast.config.json')
  await mkdir(options.folder, { recursive: true })
  await writeFile(
    config,
    JSON.stringify({
      databases: { default: { url: options.url, ...options.settings } },
      storages: { main: { driver: 'local', path: storage } },
      ...(options.compress === undefined ? {} : { compress: options.compress }),
    }),
    { mode: 0o600 },
  )
  return {
    name: options.name,
    command: holdfast('backup', '--config', config),
    output: storage,
    config,
    prepare: () => rm(storage, { recursive: true, force: true }),
  }
}

/** A restore of that storage's newest backup into another database. */
export function restoreCommand(config: string, to: string): string {
  return holdfast('restore', '--config', config, '--to', to, '--create', '--yes')
}
