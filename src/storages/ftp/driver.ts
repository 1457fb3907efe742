import { parseSettings } from '../settings.js'
import type { StorageDriver } from '../storage.js'
import { parseStorageUrl } from '../url.js'
import { ftpSettings } from './settings.js'

/**
 * `{ driver: 'ftp', host: 'ftp.example.com', user: 'shop', path: '/backups' }`, `ftp://shop@host/backups`: files on a server over FTP with
 * TLS. `ftps://` has TLS from the first byte.
 */
export const ftpDriver: StorageDriver = {
  driver: 'ftp',
  remote: true,
  schemes: ['ftps'],
  parse(url) {
    const { scheme, host, port, user, password, path, parameters } = parseStorageUrl(url)
    return {
      ...(scheme === 'ftps' ? { tls: 'implicit' } : {}),
      host,
      path: path.replace(/^\/(?=~(?:\/|$))/u, '') || '~',
      ...(port === undefined ? {} : { port }),
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...parameters,
    }
  },
  async open(settings, where) {
    const parsed = parseSettings(ftpSettings, settings, where)
    const [{ FtpTree }, { TreeStorage }] = await Promise.all([
      import('./tree.js'),
      import('../tree/storage.js'),
    ])
    return new TreeStorage(new FtpTree(parsed, where.baseDirectory))
  },
}
