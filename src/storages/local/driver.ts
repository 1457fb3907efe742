import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { parseSettings } from '../settings.js'
import type { StorageDriver } from '../storage.js'
import { LocalStorage } from './storage.js'

const settingsSchema = z.strictObject({
  /** Relative to the configuration file; `~/` at its beginning is the home folder. */
  path: z
    .string()
    .min(1)
    .refine((path) => !path.includes('\0'), 'holds a NUL'),
})

/** `{ driver: 'local', path: './backups' }`, `file:///srv/backups`: a folder of this machine, or one that is mounted. */
export const localDriver: StorageDriver = {
  driver: 'local',
  schemes: ['file'],
  parse: (url) => ({ path: url.startsWith('file:///') ? fileURLToPath(url) : url.replace(/^[^:]*:/u, '') }),
  open(settings, where) {
    return new Promise((resolve) => {
      const { path } = parseSettings(settingsSchema, settings, where)
      resolve(new LocalStorage(path, where.baseDirectory))
    })
  },
}
