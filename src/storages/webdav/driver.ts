import { parseSettings } from '../settings.js'
import type { StorageDriver } from '../storage.js'
import { parseWebdavUrl, webdavSettings } from './settings.js'

/** `{ driver: 'webdav', url: 'https://cloud.example.com/backups' }`, `webdavs://user@host/backups`: files on a server over HTTP. */
export const webdavDriver: StorageDriver = {
  driver: 'webdav',
  remote: true,
  schemes: ['webdavs', 'dav', 'davs'],
  parse: parseWebdavUrl,
  async open(settings, where) {
    const parsed = parseSettings(webdavSettings, settings, where)
    const [{ WebdavTree }, { TreeStorage }] = await Promise.all([
      import('./tree.js'),
      import('../tree/storage.js'),
    ])
    return new TreeStorage(new WebdavTree(parsed, where.baseDirectory))
  },
}
