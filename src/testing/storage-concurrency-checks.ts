import { strict as assert } from 'node:assert'
import { noise, rejectsWith, type StorageCheck } from './storage-bench.js'

/**
 * Promises to several runs at once.
 * @param rounds how often each of them is tried
 */
export const concurrencyChecks = (rounds: number): readonly StorageCheck[] => [
  {
    name: 'FAILURES 13: lets exactly one of several create-only puts of one key win',
    needs: 'createOnly',
    async check(bench) {
      const contents = Array.from({ length: 8 }, (_, index) => noise(100_000 + index, index))
      for (let round = 0; round < Math.ceil(rounds / 4); round++) {
        const key = `shop/${round}`
        const puts = contents.map((bytes) => bench.put(key, bytes, { createOnly: true }))
        const results = await Promise.allSettled(puts)
        const winners = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []))
        assert.equal(winners.length, 1, `${winners.length} puts won`)
        for (const [index, put] of puts.entries()) {
          if (index !== winners[0]) await rejectsWith(put, 'storage.exists')
        }
        await bench.holds(key, contents[winners[0] ?? -1] ?? Buffer.alloc(0))
      }
    },
  },
  {
    name: 'leaves one of several puts of one key, whole',
    async check(bench) {
      const contents = Array.from({ length: 8 }, (_, index) => noise(2_000_000 + index, index))
      await Promise.all(contents.map((bytes) => bench.put('shop/contested', bytes)))
      const kept = await bench.read('shop/contested')
      assert(
        contents.some((bytes) => bytes.equals(kept)),
        'what is there was put by nobody',
      )
      assert.deepEqual(await bench.keys(), ['shop/contested'])
    },
  },
  {
    name: 'FAILURES 13: stores different keys at once',
    async check(bench) {
      const keys = Array.from({ length: 12 }, (_, index) => `shop/run-${index}/dump`)
      await Promise.all(keys.map((key, index) => bench.put(key, noise(300_000, index), { createOnly: true })))
      for (const [index, key] of keys.entries()) await bench.holds(key, noise(300_000, index))
    },
  },
  {
    name: 'FAILURES 22: does not let a delete harm a put of a neighbouring key, or a list',
    async check(bench) {
      for (let round = 0; round < rounds; round++) {
        const folder = `shop/${round}/parts`
        await bench.put(`${folder}/old`, Buffer.from('old'))
        await bench.put(`shop/${round}.dump`, Buffer.from('stays'))
        const [, , keys] = await Promise.all([
          bench.delete(`${folder}/old`),
          bench.put(`${folder}/new`, noise(10_000, round)),
          bench.keys('shop/'),
        ])
        assert(keys.includes(`shop/${round}.dump`), 'a list missed an object that nobody touched')
        await bench.lacks(`${folder}/old`)
        await bench.holds(`${folder}/new`, noise(10_000, round))
      }
    },
  },
]
