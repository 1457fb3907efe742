import type { DevServerInfo } from '../../../devserver/info.js'
import type { DevBackup, DevConnection } from '../../../operations/dev-reports.js'

/** `holdfast dev start --json` and its like: without the password, which `dev env --json` tells. */
export type ConnectionDocument = {
  readonly engine: string
  readonly name: string
  readonly folder: string
  readonly product: string
  readonly version: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

export function connectionDocument(connection: DevConnection): ConnectionDocument {
  const { engine, name, folder, product, version, host, port, user, database } = connection
  return { engine, name, folder, product, version, host, port, user, database }
}

/** `holdfast dev status --json` */
export type InfoDocument = {
  readonly engine: string
  readonly name: string
  readonly state: DevServerInfo['state']
  readonly answers: boolean
  readonly folder: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly pid: number | undefined
  readonly product: string | undefined
  readonly version: string | undefined
  readonly sizeBytes: number
}

export function infoDocument({ pid, product, version, ...info }: DevServerInfo): InfoDocument {
  return { ...info, pid, product, version }
}

/** `holdfast dev backup --json` */
export type BackupFolderDocument = {
  readonly name: string
  readonly id: string | undefined
  readonly created: string
  readonly directory: string
  readonly sizeBytes: number
}

export function backupDocument({ name, id, created, directory, sizeBytes }: DevBackup): BackupFolderDocument {
  return { name, id, created: created.toISOString(), directory, sizeBytes }
}
