import { Retry } from '../retry.js'
import { parseSettings } from '../settings.js'
import type { StorageDriver } from '../storage.js'
import { azureSettings, parseAzureUrl } from './settings.js'

/** `{ driver: 'azure', container: 'backups' }`, `azure://backups/shop?account=name`: Azure Blob Storage. */
export const azureDriver: StorageDriver = {
  driver: 'azure',
  remote: true,
  parse: parseAzureUrl,
  async open(settings, where) {
    const parsed = parseSettings(azureSettings, settings, where)
    const [{ azureContainer }, { AzureStorage }] = await Promise.all([
      import('./container.js'),
      import('./storage.js'),
    ])
    return new AzureStorage(azureContainer(parsed), parsed, where.retry ?? new Retry())
  },
}
