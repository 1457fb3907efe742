import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import type { FilesSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { attempt } from './doctor-check.js'
import type { DoctorCheck } from './reports.js'
import type { Workspace } from './workspace.js'

/** Whether the source of a set is there and can be read; its files are read by the backup only. */
export async function checkFiles(
  cx: Context,
  workspace: Workspace,
  { alias, source }: FilesSettings,
): Promise<DoctorCheck> {
  const subject = `files ${alias}`
  if ('folder' in source) return attempt(cx, subject, 'source', () => checkFolder(source.folder))
  return attempt(cx, subject, 'source', async () => {
    const { storage } = await workspace.storages.get(source.storage)
    for await (const _object of storage.list(cx, '')) return `${storage.describe()} holds objects`
    throw new HoldfastError('storage.not-found', `${storage.describe()} holds nothing`)
  })
}

async function checkFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch((error: unknown) => {
    throw new HoldfastError('storage.not-found', `there is no folder ${folder}`, { cause: error })
  })
  if (!found.isDirectory()) throw new HoldfastError('config.invalid', `${folder} is not a folder`)
  await access(folder, constants.R_OK | constants.X_OK).catch((error: unknown) => {
    throw new HoldfastError('storage.denied', `${folder} cannot be read`, { cause: error })
  })
  const { length } = await readdir(folder)
  return `${folder} can be read and holds ${length === 1 ? '1 name' : `${length} names`}`
}
