import type { StorageCheck } from './storage-bench.js'
import { concurrencyChecks } from './storage-concurrency-checks.js'
import { listChecks, manyObjectsCheck } from './storage-list-checks.js'
import { readChecks } from './storage-read-checks.js'
import { writeChecks } from './storage-write-checks.js'

/**
 * What every storage promises.
 * @param manyObjects how many objects a long list has
 * @param rounds how often runs get in each other's way
 */
export function storagePromises(manyObjects = 1100, rounds = 20): readonly StorageCheck[] {
  const lists = [...listChecks, manyObjectsCheck(manyObjects)]
  return [...writeChecks, ...readChecks, ...lists, ...concurrencyChecks(rounds)]
}
