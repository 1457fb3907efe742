import { parseSettings } from '../settings.js'
import type { StorageDriver } from '../storage.js'
import { parseResticUrl, resticSettings } from './settings.js'

/** `{ driver: 'restic', repository: '/srv/restic', password: … }`, `restic:///srv/restic`: a repository of the restic program. */
export const resticDriver: StorageDriver = {
  driver: 'restic',
  remote: true,
  deduplicates: true,
  parse: parseResticUrl,
  async open(settings, where) {
    const parsed = parseSettings(resticSettings, settings, where)
    const [{ Restic }, { ResticStorage }] = await Promise.all([
      import('./program.js'),
      import('./storage.js'),
    ])
    return new ResticStorage(new Restic(parsed, where.baseDirectory), where.retry)
  },
}
