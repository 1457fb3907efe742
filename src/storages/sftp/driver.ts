import { parseSettings } from '../settings.js'
import type { StorageDriver } from '../storage.js'
import { parseStorageUrl } from '../url.js'
import { sftpSettings } from './settings.js'

/**
 * `{ driver: 'sftp', host: 'backup.example.com', user: 'shop', path: '/srv/backups' }`, `sftp://shop@host/srv/backups`,
 * `sftp://shop@host/~/backups`: files on a server that one can log in to with SSH.
 */
export const sftpDriver: StorageDriver = {
  driver: 'sftp',
  remote: true,
  parse(url) {
    const { host, port, user, password, path, parameters } = parseStorageUrl(url)
    return { ...parameters, host, port, user, password, path: path.replace(/^\/(?=~(?:\/|$))/u, '') || '~' }
  },
  async open(settings, where) {
    const parsed = parseSettings(sftpSettings, settings, where)
    const [{ SftpTree }, { TreeStorage }] = await Promise.all([
      import('./tree.js'),
      import('../tree/storage.js'),
    ])
    return new TreeStorage(new SftpTree(parsed, where.baseDirectory))
  },
}
