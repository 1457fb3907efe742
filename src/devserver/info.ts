import { join } from 'node:path'
import { folderBytes } from './backup-folders.js'
import { hasData } from './data-folder.js'
import { runningServer } from './launch.js'
import type { ServerLife, ServerParts } from './life.js'
import { host } from './site.js'

export type DevServerState = 'running' | 'stopped' | 'empty'

export interface DevServerInfo {
  readonly engine: string
  readonly name: string
  /** `empty`: there are no data, and backups at most. */
  readonly state: DevServerState
  /** Whether it has just answered a query. */
  readonly answers: boolean
  readonly folder: string
  readonly host: string
  /** 0 for a database that is a file. */
  readonly port: number
  readonly user: string
  readonly database: string
  readonly pid?: number
  /** Absent where the programs are not installed any more. */
  readonly product?: string
  /** What a server that runs says of itself; else of the programs. */
  readonly version?: string
  /** What the data take on the disk. */
  readonly sizeBytes: number
}

/** Undefined where there is no such server. @throws devserver.foreign-folder */
export async function infoOf(
  { cx, driver, name, folder }: ServerParts,
  life: ServerLife,
): Promise<DevServerInfo | undefined> {
  const record = await life.record()
  if (record === undefined) return undefined
  const dataDirectory = join(folder, 'data')
  const server = await runningServer(folder)
  const data = await hasData({ dataDirectory })
  const up = server !== undefined || (driver.command === undefined && data)
  // What is known without the programs is told also where they are not installed any more.
  const site = await life.site(record).catch(() => undefined)
  const said = up && site !== undefined ? await driver.ask(cx, site).catch(() => undefined) : undefined
  const version = said ?? site?.programs.version
  return {
    engine: driver.engine,
    name,
    state: up ? 'running' : data ? 'stopped' : 'empty',
    answers: said !== undefined,
    folder,
    host,
    port: record.port,
    user: record.user,
    database: record.database,
    ...(server === undefined ? {} : { pid: server.pid }),
    ...(site === undefined ? {} : { product: site.programs.product }),
    ...(version === undefined ? {} : { version }),
    sizeBytes: await folderBytes(dataDirectory),
  }
}
