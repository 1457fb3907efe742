import { z } from 'zod'
import { parseSettings } from '../settings.js'
import type { ObjectKey, StorageDriver } from '../storage.js'
import { MemoryStorage, type MemoryObject } from './storage.js'

const settingsSchema = z.strictObject({
  /** Storages of one name share their objects within a process. Default: the storage's name in the configuration. */
  name: z.string().min(1).optional(),
})

const contents = new Map<string, Map<ObjectKey, MemoryObject>>()

/** `{ driver: 'memory' }`, `memory:`, `memory:name`: objects in this process's memory, for tests and trials. */
export const memoryDriver: StorageDriver = {
  driver: 'memory',
  parse(url) {
    const name = url.replace(/^[^:]*:/u, '')
    return name === '' ? {} : { name }
  },
  open(settings, where) {
    return new Promise((resolve) => {
      const { name = where.name } = parseSettings(settingsSchema, settings, where)
      const objects = contents.get(name) ?? new Map<ObjectKey, MemoryObject>()
      contents.set(name, objects)
      resolve(new MemoryStorage(name, objects))
    })
  },
}
