import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import type { ByteRange } from '../storages/storage.js'
import { objectKey } from '../storages/object-key.js'
import { bytesInUse, flow, noise, rejectsWith, type StorageCheck } from './storage-bench.js'

const mebibyte = 1024 * 1024

/** Promises of `get` and `stat`. */
export const readChecks: readonly StorageCheck[] = [
  {
    name: 'says storage.not-found for what is not there',
    async check(bench) {
      await bench.put('shop/there', Buffer.from('there'))
      for (const key of [
        'missing',
        'shop/missing',
        'shop',
        'shop/there/missing',
        'shop/ther',
        'shop/there2',
      ]) {
        assert.equal(await bench.stat(key), undefined, key)
        await rejectsWith(bench.read(key), 'storage.not-found')
        await rejectsWith(bench.read(key, { start: 0, end: 1 }), 'storage.not-found')
      }
    },
  },
  {
    name: 'gives ranges of an object',
    needs: 'ranges',
    async check(bench) {
      assert(bench.storage.capabilities.ranges, 'the storage has no ranges')
      const bytes = noise(3 * mebibyte)
      const last = bytes.length
      await bench.put('shop/ranges', bytes)
      const ranges: ByteRange[] = [
        { start: 0 },
        { start: 0, end: 1 },
        { start: 5, end: 10 },
        { start: 65_535, end: 65_537 },
        { start: mebibyte - 1, end: 2 * mebibyte + 1 },
        { start: last - 1 },
        { start: last - 1, end: last },
        { start: last - 10, end: last + 10 },
      ]
      for (const range of ranges) {
        const given = await bench.read('shop/ranges', range)
        assert(given.equals(bytes.subarray(range.start, range.end)), `from ${range.start} to ${range.end}`)
      }
    },
  },
  {
    name: 'gives no bytes for a range without any, or beyond the end',
    needs: 'ranges',
    async check(bench) {
      await bench.put('shop/ranges', noise(1000))
      for (const range of [
        { start: 3, end: 3 },
        { start: 0, end: 0 },
        { start: 1000 },
        { start: 5000, end: 6000 },
      ]) {
        assert.equal(
          (await bench.read('shop/ranges', range)).length,
          0,
          `from ${range.start} to ${range.end}`,
        )
      }
      await bench.put('shop/empty', Buffer.alloc(0))
      assert.equal((await bench.read('shop/empty', { start: 0, end: 10 })).length, 0)
    },
  },
  {
    name: 'FAILURES 9: reads no further ahead than it must for a reader that rests',
    async check(bench) {
      await bench.put('shop/large', flow(1024))
      const before = bytesInUse()
      const stream = await bench.get('shop/large')
      const chunks = stream[Symbol.asyncIterator]()
      await chunks.next()
      // Time for whatever would go on by itself.
      for (let turn = 0; turn < 50; turn++) await bench.stat('shop/large')
      const held = bytesInUse() - before
      stream.destroy()
      assert(held < 32 * mebibyte, `${held} bytes were read ahead`)
    },
  },
  {
    name: 'goes on working after a reader that left early',
    async check(bench) {
      await bench.put('shop/large', noise(8 * mebibyte))
      for (let reader = 0; reader < 12; reader++) {
        for await (const _chunk of await bench.get('shop/large')) break
      }
      const unread = await bench.get('shop/large')
      unread.destroy()
      await once(unread, 'close')
      await bench.leftNoListeners()
      await bench.holds('shop/large', noise(8 * mebibyte))
    },
  },
  {
    name: 'FAILURES 6: breaks off a get that is interrupted, never with a clean end',
    async check(bench) {
      await bench.put('shop/large', noise(8 * mebibyte))
      const interruption = new AbortController()
      const stream = await bench.storage.get(bench.contextWith(interruption.signal), objectKey('shop/large'))
      const read = async (): Promise<void> => {
        for await (const _chunk of stream) interruption.abort(new Error('Ctrl-C'))
      }
      await assert.rejects(read())
      await assert.rejects(async () => {
        const late = await bench.storage.get(bench.contextWith(interruption.signal), objectKey('shop/large'))
        await buffer(late)
      })
    },
  },
  {
    name: 'gives a reader the old object whole while it is replaced',
    async check(bench) {
      const old = noise(8 * mebibyte, 1)
      await bench.put('shop/replaced', old)
      const stream = await bench.get('shop/replaced')
      await bench.put('shop/replaced', noise(9 * mebibyte, 2))
      assert(old.equals(await buffer(stream)), 'the reader got a mixture')
      await bench.holds('shop/replaced', noise(9 * mebibyte, 2))
    },
  },
  {
    name: 'FAILURES 22: gives a reader of a deleted object all of it or an error',
    async check(bench) {
      const bytes = noise(8 * mebibyte)
      await bench.put('shop/deleted', bytes)
      const stream = await bench.get('shop/deleted')
      await bench.delete('shop/deleted')
      const given = await buffer(stream).catch(() => bytes)
      assert(given.equals(bytes), 'the reader got a part of it, with a clean end')
    },
  },
]
