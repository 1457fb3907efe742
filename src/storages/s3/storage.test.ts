import { afterAll, beforeAll, describe, it } from 'vitest'
import { startMoto, type MotoServer } from '../../../test/servers/moto.js'
import { needsMoto } from '../../../test/servers/needs.js'
import { storageContract } from '../../testing/storage-contract.js'
import { withWrappers } from '../wrap/wrapped-driver.js'
import type { Storage } from '../storage.js'
import { s3Driver } from './driver.js'

const where = { name: 'main', baseDirectory: '/' }
const driver = withWrappers(s3Driver)

needsMoto().describe('the S3 storage', () => {
  let moto: MotoServer
  let opened = 0
  const places = new Map<Storage, string>()

  beforeAll(async () => {
    moto = await startMoto()
    await moto.makeBucket('backups')
  })
  afterAll(() => moto.stop())

  async function open(prefix: string): Promise<Storage> {
    const storage = await driver.open({ ...moto.settings, bucket: 'backups', prefix }, where)
    places.set(storage, prefix)
    return storage
  }

  describe('keeps the contract', () => {
    const fixture = {
      open: () => open(`test-${opened++}`),
      reopen: (storage: Storage) => open(places.get(storage) ?? ''),
    }
    for (const check of storageContract(fixture)) it(check.name, () => check.run())
  })
})
