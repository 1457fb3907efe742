import { strict as assert } from 'node:assert'
import type { Storage } from '../storages/storage.js'
import type { ContractCheck } from './contract.js'
import { StorageBench, type StorageNeed } from './storage-bench.js'
import { mishapChecks } from './storage-mishap-checks.js'
import { storagePromises } from './storage-promises.js'

export type { StorageNeed } from './storage-bench.js'

export interface StorageFixture {
  /** A storage without objects, for one check alone: a new folder, a new prefix. */
  open(): Promise<Storage>
  /** The same place once more, as another process would open it; absent where nothing outlives the storage. */
  reopen?(storage: Storage): Promise<Storage>
  /** How many objects the check of a long list stores. Default 1 100, which is more than a page of most services. */
  readonly manyObjects?: number
  /** How often runs get in each other's way. Default 20; fewer where each connection takes long. */
  readonly rounds?: number
  /** What the service cannot do, and the storage's capabilities say so: what depends on it is not checked. */
  readonly lacks?: readonly StorageNeed[]
  /** Storages in trouble, each checked for the error that every storage gives then. Those that are absent are not checked. */
  readonly mishaps?: { readonly [Mishap in StorageMishap]?: () => Promise<Storage> }
}

/**
 * `denied`: the account may neither write nor read. `loginRefused`: an account that is not known, or a wrong password or key.
 * `unreachable`: nothing listens there. `full`: nothing more can be stored, and what is there can be read.
 */
export type StorageMishap = 'denied' | 'loginRefused' | 'unreachable' | 'full'

/**
 * What every storage promises, as checks that any test framework can run. The largest object is 64 MiB, and one check stores
 * 1 100 small ones.
 *
 * @example
 * for (const check of storageContract({ open: () => openMyStorage(newPrefix()) })) test(check.name, () => check.run())
 */
export function storageContract(fixture: StorageFixture): readonly ContractCheck[] {
  const { manyObjects, rounds, lacks = [] } = fixture
  const promises = storagePromises(manyObjects, rounds).filter(
    ({ needs }) => needs === undefined || !lacks.includes(needs),
  )
  const checks = [
    ...promises.map((promise) => ({
      name: promise.name,
      run: () => withStorage(fixture, (bench) => promise.check(bench)),
    })),
    ...mishapChecks(fixture.mishaps ?? {}),
  ]
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
