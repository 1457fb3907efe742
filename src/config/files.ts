import { isAbsolute, join, resolve } from 'node:path'
import type { Env } from '../env/env.js'
import { HoldfastError } from '../errors.js'
import { checkPolicy } from '../retention/policy.js'
import type { FilesConfig, HoldfastConfig } from './config.js'
import { checkTemplate } from './filename-template.js'
import type { FilesSettings, StorageSettings } from './settings.js'
import { checkStorageNames } from './storages.js'

export interface FilesSurroundings {
  readonly env: Env
  readonly baseDirectory: string
  /** Where the configuration came from. */
  readonly origin: string
  readonly storages: ReadonlyMap<string, StorageSettings>
}

/** The sets of files. @throws config.invalid, usage.unknown-storage */
export function resolveFiles(
  { files = {}, databases = {} }: HoldfastConfig,
  around: FilesSurroundings,
): ReadonlyMap<string, FilesSettings> {
  return new Map(
    Object.entries(files).map(([alias, each]) => {
      // Their backups lie in the same folder of a storage, and are asked for by the same name.
      if (Object.hasOwn(databases, alias))
        throw new HoldfastError(
          'config.invalid',
          `files.${alias} (${around.origin}): a database has this name already`,
        )
      return [alias, resolveSet(alias, typeof each === 'string' ? { source: each } : each, around)]
    }),
  )
}

function resolveSet(
  alias: string,
  { source, include = [], exclude = [], storages, filename, retention }: FilesConfig,
  { env, baseDirectory, origin, storages: known }: FilesSurroundings,
): FilesSettings {
  const setting = (name: string) => `files.${alias}.${name} (${origin})`
  if (typeof source !== 'string')
    checkStorageNames([source.storage], [...known.keys()], setting('source.storage'))
  checkStorageNames(storages ?? [], [...known.keys()], setting('storages'))
  checkPolicy(retention ?? {}, setting('retention'))
  if (typeof filename === 'string') checkTemplate(filename, setting('filename'))
  return {
    alias,
    source: typeof source === 'string' ? { folder: folderOf(source, env, baseDirectory) } : source,
    include,
    exclude,
    ...(storages === undefined ? {} : { storages }),
    ...(filename === undefined ? {} : { filename }),
    ...(retention === undefined ? {} : { retention }),
  }
}

/** A path relative to a folder, or to the home folder with `~/` at its beginning. */
function folderOf(path: string, env: Env, baseDirectory: string): string {
  if (/^~(?=[/\\]|$)/u.test(path)) return join(env.homeDirectory, path.slice(1))
  return isAbsolute(path) ? resolve(path) : resolve(baseDirectory, path)
}

/** The storages, those among them marked that hold the files of a set. */
export function withSources(
  storages: ReadonlyMap<string, StorageSettings>,
  { files = {} }: HoldfastConfig,
): ReadonlyMap<string, StorageSettings> {
  const sources = Object.values(files).flatMap((each) =>
    typeof each === 'object' && typeof each.source === 'object' ? [each.source.storage] : [],
  )
  return new Map(
    [...storages].map(([name, each]) => [name, sources.includes(name) ? { ...each, source: true } : each]),
  )
}
