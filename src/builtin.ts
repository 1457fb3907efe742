import type { Registry } from './config/settings.js'
import type { Engine } from './engine/engine.js'
import { mongodb } from './engines/mongodb/engine.js'
import { mariadb, mysql } from './engines/mysql/engine.js'
import { postgresql } from './engines/postgres/engine.js'
import { sqliteEngine } from './engines/sqlite/engine.js'
import { age } from './stages/age/stage.js'
import { gzip } from './stages/gzip/stage.js'
import { openpgp } from './stages/openpgp/stage.js'
import type { StageKind } from './stages/stage.js'
import { zstd } from './stages/zstd/stage.js'
import { azureDriver } from './storages/azure/driver.js'
import { ftpDriver } from './storages/ftp/driver.js'
import { gcsDriver } from './storages/gcs/driver.js'
import { localDriver } from './storages/local/driver.js'
import { memoryDriver } from './storages/memory/driver.js'
import { resticDriver } from './storages/restic/driver.js'
import { s3Driver } from './storages/s3/driver.js'
import { sftpDriver } from './storages/sftp/driver.js'
import { webdavDriver } from './storages/webdav/driver.js'
import type { StorageDriver } from './storages/storage.js'

const engines: readonly Engine[] = [sqliteEngine, postgresql, mysql, mariadb, mongodb]
const stages: readonly StageKind[] = [zstd, gzip, age, openpgp]
const storageDrivers: readonly StorageDriver[] = [
  localDriver,
  memoryDriver,
  s3Driver,
  azureDriver,
  gcsDriver,
  sftpDriver,
  ftpDriver,
  webdavDriver,
  resticDriver,
]

/** Every engine, stage and storage that comes with Holdfast: the only file that names them all. */
export function builtinRegistry(): Registry {
  return { engines, stages, storageDrivers }
}
