import { strict as assert } from 'node:assert'
import type { ErrorCode } from '../errors.js'
import type { Storage } from '../storages/storage.js'
import type { ContractCheck } from './contract.js'
import { inChunks, noise, rejectsWith, StorageBench } from './storage-bench.js'
import type { StorageMishap } from './storage-contract.js'

const codes: Readonly<Record<StorageMishap, ErrorCode>> = {
  denied: 'storage.denied',
  loginRefused: 'storage.login-refused',
  unreachable: 'storage.unreachable',
  full: 'storage.full',
}

/** The same error in every storage, from every call: never an empty list, never an object that is not there. */
export function mishapChecks(
  storages: Readonly<Partial<Record<StorageMishap, () => Promise<Storage>>>>,
): readonly ContractCheck[] {
  return Object.entries(storages).map(([mishap, open]) => ({
    name: `FAILURES 23: says ${codes[mishap as StorageMishap]} for ${mishap}, whatever is asked`,
    async run() {
      const storage = await open()
      try {
        await check(new StorageBench(storage), mishap as StorageMishap)
      } finally {
        await storage.close()
      }
    },
  }))
}

async function check(bench: StorageBench, mishap: StorageMishap): Promise<void> {
  const code = codes[mishap]
  for (const options of [{}, { createOnly: true }]) {
    const body = inChunks(noise(100_000))
    await rejectsWith(bench.put('shop/refused', body, options), code)
    assert(body.destroyed, 'the source goes on')
  }
  if (mishap === 'full') return
  await rejectsWith(bench.stat('shop/refused'), code)
  await rejectsWith(bench.read('shop/refused'), code)
  await rejectsWith(bench.list('shop/'), code)
  await rejectsWith(bench.delete('shop/refused'), code)
}
