import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DevServerDriver, DevServerSite } from '../engine/dev-server.js'
import type { Account } from '../env/account.js'
import type { Context } from '../env/context.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import { requireOwner, requireReach } from './account.js'
import { diskFull } from './disk-full.js'
import type { Template } from './template.js'
import { copyTree } from './tree-copy.js'

/** Data that others have taken the place of, on their way out. */
export const oldName = 'data.old'
/** The folder of the server that a restore fills, whose data are to take the place of the old ones. */
export const replacementName = 'filling'
/** What goes with the data. */
export const ofOneLife = ['run', 'server.log', 'server.log.1']

export async function hasData({ dataDirectory }: Pick<DevServerSite, 'dataDirectory'>): Promise<boolean> {
  return (await stat(dataDirectory).catch(() => undefined)) !== undefined
}

/** @throws devserver.no-access, devserver.other-version: what would keep the server from using its data */
export async function requireUsable(driver: DevServerDriver, site: DevServerSite): Promise<void> {
  const { dataDirectory, programs, account, engine, name } = site
  if (account !== undefined) await requireReach(account, dirname(dataDirectory))
  await requireOwner(account, dataDirectory)
  const made = await driver.dataVersion?.(dataDirectory)
  if (made === undefined || programs.dataVersion === undefined || made === programs.dataVersion) return
  throw new HoldfastError(
    'devserver.other-version',
    `the data of ${engine} ${name} are of ${programs.product} ${made}, and what is installed is ${programs.product} ${programs.version}`,
    {
      hint: `install ${programs.product} ${made}, or make the data again, without what is in them: holdfast dev reinit --engine ${engine} --name ${name}`,
    },
  )
}

/** A whole data folder under another name, which no server has used yet. */
export interface NewData {
  /** From a template. */
  readonly copied: boolean
  /** What its account has for a password. */
  readonly password: Secret
  readonly folder: string
}

/** A half-made data folder is never taken for a whole one; what a run that was killed has left of it is removed. */
const beside = (dataDirectory: string) => `${dataDirectory}.making`

/**
 * Makes data, beside those that may be there.
 * @param template to copy; undefined: made anew
 * @throws tool.*, storage.full, devserver.no-access
 */
export async function makeData(
  cx: Context,
  driver: DevServerDriver,
  site: DevServerSite,
  template: Template | undefined,
): Promise<NewData> {
  const { dataDirectory, account, folder } = site
  const making = beside(dataDirectory)
  if (account !== undefined) await requireReach(account, folder)
  await remove(making)
  try {
    await makeRunFolder(site)
    const password = new Secret(template?.password ?? randomBytes(12).toString('hex'))
    if (template !== undefined) copyTree(template.data, making, account)
    else if (driver.create === undefined) await privateFolder(making, account)
    else await driver.create(cx, { ...site, dataDirectory: making, initialPassword: password })
    return { copied: template !== undefined, password, folder: making }
  } catch (error) {
    await remove(making)
    throw diskFull(error, folder)
  }
}

/** Puts new data in their place, where nothing is. */
export async function placeData(site: DevServerSite, data: NewData): Promise<void> {
  try {
    await makeRunFolder(site)
    await rename(data.folder, site.dataDirectory)
  } catch (error) {
    await remove(data.folder)
    throw diskFull(error, site.folder)
  }
}

/** For sockets and the like. */
export async function makeRunFolder({ folder, account }: DevServerSite): Promise<void> {
  await privateFolder(join(folder, 'run'), account)
}

async function privateFolder(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (account !== undefined) await chown(path, account.uid, account.gid)
}

export async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
