import { strict as assert } from 'node:assert'
import type { Storage } from '../storages/storage.js'
import type { ContractCheck } from './contract.js'
import { StorageBench } from './storage-bench.js'
import { listChecks } from './storage-list-checks.js'
import { concurrencyChecks } from './storage-concurrency-checks.js'
import { readChecks } from './storage-read-checks.js'
import { writeChecks } from './storage-write-checks.js'

export interface StorageFixture {
  /** A storage without objects, for one check alone: a new folder, a new prefix. */
  open(): Promise<Storage>
  /** The same place once more, as another process would open it; absent where nothing outlives the storage. */
  reopen?(storage: Storage): Promise<Storage>
}

/**
 * What every storage promises, as checks that any test framework can run. The largest object is 64 MiB, and one check stores
 * 1 100 small ones.
 *
 * @example
 * for (const check of storageContract({ open: () => openMyStorage(newPrefix()) })) test(check.name, () => check.run())
 */
export function storageContract(fixture: StorageFixture): readonly ContractCheck[] {
  const promises = [...writeChecks, ...readChecks, ...listChecks, ...concurrencyChecks]
  const checks = promises.map((promise) => ({
    name: promise.name,
    run: () => withStorage(fixture, (bench) => promise.check(bench)),
  }))
  if (fixture.reopen === undefined) return checks
  const kept: ContractCheck = {
    name: 'keeps its objects for whoever opens it next',
    run: () =>
      withStorage(fixture, async (bench) => {
        await bench.put('shop/kept', Buffer.from('kept'))
        const again = await fixture.reopen?.(bench.storage)
        assert(again !== undefined)
        await new StorageBench(again).holds('shop/kept', Buffer.from('kept'))
        await again.close()
      }),
  }
  return [...checks, kept]
}

async function withStorage(
  fixture: StorageFixture,
  use: (bench: StorageBench) => Promise<void>,
): Promise<void> {
  const storage = await fixture.open()
  try {
    await use(new StorageBench(storage))
  } finally {
    await storage.close()
  }
}
