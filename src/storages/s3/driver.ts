import { parseSettings } from '../settings.js'
import { Retry } from '../retry.js'
import type { StorageDriver } from '../storage.js'
import { parseS3Url, s3Settings } from './settings.js'

/** `{ driver: 's3', bucket: 'backups' }`, `s3://backups/shop`: Amazon S3 and the many services that speak its protocol. */
export const s3Driver: StorageDriver = {
  driver: 's3',
  remote: true,
  parse: parseS3Url,
  async open(settings, where) {
    const parsed = parseSettings(s3Settings, settings, where)
    const [{ s3Client }, { S3Storage }] = await Promise.all([import('./client.js'), import('./storage.js')])
    return new S3Storage(await s3Client(parsed, where.baseDirectory), parsed, where.retry ?? new Retry())
  },
}
