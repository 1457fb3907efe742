import { Retry } from '../retry.js'
import { parseSettings } from '../settings.js'
import type { StorageDriver } from '../storage.js'
import { gcsSettings, parseGcsUrl } from './settings.js'

/** `{ driver: 'gcs', bucket: 'backups' }`, `gs://backups/shop`: Google Cloud Storage. */
export const gcsDriver: StorageDriver = {
  driver: 'gcs',
  schemes: ['gs'],
  remote: true,
  parse: parseGcsUrl,
  async open(settings, where) {
    const parsed = parseSettings(gcsSettings, settings, where)
    const [{ gcsService }, { GcsStorage }] = await Promise.all([
      import('./service.js'),
      import('./storage.js'),
    ])
    return new GcsStorage(await gcsService(parsed, where.baseDirectory), parsed, where.retry ?? new Retry())
  },
}
