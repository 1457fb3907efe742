import { describe, expect, it } from 'vitest'
import { storageContract } from '../../testing/storage-contract.js'
import type { Storage } from '../storage.js'
import { memoryDriver } from './driver.js'

let opened = 0
const places = new Map<Storage, string>()

async function open(name: string): Promise<Storage> {
  const storage = await memoryDriver.open({ driver: 'memory', name }, { name: 'main', baseDirectory: '/' })
  places.set(storage, name)
  return storage
}

describe('the memory storage', () => {
  const fixture = {
    open: () => open(`test-${opened++}`),
    reopen: (storage: Storage) => open(places.get(storage) ?? ''),
    manyObjects: 10_000,
  }
  for (const check of storageContract(fixture)) it(check.name, () => check.run())

  it('says that its objects live only as long as the process', async () => {
    const storage = await open('volatile')
    expect(storage.capabilities.volatile).toBe(true)
    expect(storage.describe()).toBe('memory volatile')
  })

  it('has the name of the storage in the configuration by default, and refuses other settings', async () => {
    const where = { name: 'scratch', baseDirectory: '/' }
    expect((await memoryDriver.open({}, where)).describe()).toBe('memory scratch')
    await expect(memoryDriver.open({ size: 3 }, where)).rejects.toMatchObject({ code: 'config.unknown-key' })
    await expect(memoryDriver.open({ name: 3 }, where)).rejects.toMatchObject({ code: 'config.invalid' })
  })
})
