import { strict as assert } from 'node:assert'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { objectKey } from '../storages/object-key.js'
import {
  bytesInUse,
  flow,
  heldSource,
  inChunks,
  noise,
  rejectsWith,
  type StorageBench,
  type StorageCheck,
} from './storage-bench.js'

const mebibyte = 1024 * 1024
const day = 24 * 60 * 60 * 1000

/** What a storage may hold of an object that passes through: some parts of a multipart upload. */
const passingBytes = 40 * mebibyte

/** Promises of `put`, `sweep` and `delete`. */
export const writeChecks: readonly StorageCheck[] = [
  {
    name: 'stores a stream and gives the same bytes back',
    async check(bench) {
      for (const length of [1, 65_535, 65_536, 1_048_576, 1_048_577, 5_000_001]) {
        const bytes = noise(length, length)
        const stored = await bench.put(`shop/${length}`, bytes)
        assert.deepEqual([stored.key, stored.bytes], [`shop/${length}`, length])
        await bench.holds(`shop/${length}`, bytes)
      }
    },
  },
  {
    name: 'stores an empty object',
    async check(bench) {
      const stored = await bench.put('shop/empty', Buffer.alloc(0))
      assert.equal(stored.bytes, 0)
      await bench.holds('shop/empty', Buffer.alloc(0))
    },
  },
  {
    name: 'FAILURES 9: passes 64 MiB on without holding them',
    async check(bench) {
      const chunks = 1024
      const sent = createHash('sha256')
      const before = bytesInUse()
      let most = 0
      const body = flow(chunks, (chunk, count) => {
        sent.update(chunk)
        if (count % 128 === 0) most = Math.max(most, bytesInUse() - before)
      })
      const stored = await bench.put('shop/large', body)
      assert.equal(stored.bytes, chunks * 65_536)
      const received = createHash('sha256')
      let taken = 0
      for await (const chunk of await bench.get('shop/large')) {
        received.update(chunk as Buffer)
        taken += (chunk as Buffer).length
        if (taken % (8 * mebibyte) < (chunk as Buffer).length) most = Math.max(most, bytesInUse() - before)
      }
      assert.equal(received.digest('hex'), sent.digest('hex'))
      // A volatile storage holds its objects by nature.
      if (!bench.storage.capabilities.volatile) assert(most < passingBytes, `${most} bytes were held`)
    },
  },
  {
    name: 'FAILURES 11: tells the size, time and checksum of what it stored, from put, stat and list alike',
    async check(bench) {
      const bytes = noise(100_000)
      const earliest = bench.cx.env.clock.now().getTime() - 2 * 60 * 1000
      const stored = await bench.put('shop/measured', bytes)
      const read = await bench.stat('shop/measured')
      const [listed, ...others] = await bench.list('shop/measured')
      assert.deepEqual(others, [])
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      for (const object of [stored, read, listed]) {
        assert.deepEqual([object?.key, object?.bytes], ['shop/measured', bytes.length])
        // Some services tell whole seconds in one answer and parts of them, or the time of the answer, in another.
        const differMs = Math.abs((object?.modified.getTime() ?? NaN) - stored.modified.getTime())
        assert(differMs <= 5000, 'the times are not of the same moment')
        assert(object?.sha256 === undefined || object.sha256 === sha256, 'the checksum is another one')
      }
      assert(stored.modified.getTime() >= earliest, 'modified long before it was stored')
      if (bench.storage.capabilities.checksums) assert.equal(read?.sha256, sha256)
    },
  },
  {
    name: 'leaves nothing when the source fails, and throws its error',
    async check(bench) {
      const error = new Error('the tool broke')
      const source = heldSource(noise(3 * mebibyte))
      const put = bench.put('shop/broken', source.body)
      void source.taken.then(() => source.fail(error))
      await assert.rejects(put, (thrown) => thrown === error)
      await bench.lacks('shop/broken')
      await leftNothing(bench)
    },
  },
  {
    name: 'leaves nothing when the source had failed before, or stops without an end',
    async check(bench) {
      const error = new Error('the tool never began')
      const failed = new Readable({ read: () => undefined })
      failed.on('error', () => undefined)
      failed.destroy(error)
      await assert.rejects(bench.put('shop/failed', failed), (thrown) => thrown === error)
      const source = heldSource(noise(1000))
      const put = bench.put('shop/stopped', source.body)
      void source.taken.then(() => source.body.destroy())
      await rejectsWith(put, 'integrity.truncated')
      for (const key of ['shop/failed', 'shop/stopped']) await bench.lacks(key)
      await leftNothing(bench)
    },
  },
  {
    name: 'keeps the object that was there when its replacement fails',
    async check(bench) {
      await bench.put('shop/kept', noise(1000, 1))
      const source = heldSource(noise(3 * mebibyte, 2))
      const put = bench.put('shop/kept', source.body)
      void source.taken.then(() => source.fail(new Error('the tool broke')))
      await assert.rejects(put)
      await bench.holds('shop/kept', noise(1000, 1))
      await leftNothing(bench)
    },
  },
  {
    name: 'FAILURES 6: leaves nothing when it is interrupted, throws the reason and ends the source',
    async check(bench) {
      for (const bytes of [noise(0), noise(3 * mebibyte)]) {
        const interruption = new AbortController()
        const source = heldSource(bytes)
        const put = bench.storage.put(
          bench.contextWith(interruption.signal),
          objectKey('shop/interrupted'),
          source.body,
        )
        const reason = new Error('Ctrl-C')
        void source.taken.then(() => interruption.abort(reason))
        await assert.rejects(put, (thrown) => thrown === reason)
        assert(source.body.destroyed, 'the source goes on')
        await bench.lacks('shop/interrupted')
      }
      await leftNothing(bench)
    },
  },
  {
    name: 'stores nothing when it was interrupted before the start',
    async check(bench) {
      const reason = new Error('Ctrl-C')
      const body = inChunks(noise(1000))
      const put = bench.storage.put(
        bench.contextWith(AbortSignal.abort(reason)),
        objectKey('shop/early'),
        body,
      )
      await assert.rejects(put, (thrown) => thrown === reason)
      assert(body.destroyed, 'the source goes on')
      await bench.lacks('shop/early')
    },
  },
  {
    name: 'shows nothing of what is being written',
    async check(bench) {
      const bytes = noise(3 * mebibyte)
      const source = heldSource(bytes)
      const put = bench.put('shop/growing', source.body)
      await source.taken
      await bench.lacks('shop/growing')
      assert.deepEqual(await bench.keys(), [])
      source.end()
      await put
      await bench.holds('shop/growing', bytes)
    },
  },
  {
    name: 'does not replace an object with createOnly, and ends the source',
    needs: 'createOnly',
    async check(bench) {
      assert(bench.storage.capabilities.createOnly, 'the storage cannot create only')
      await bench.put('shop/once', Buffer.from('first'), { createOnly: true })
      const body = inChunks(noise(mebibyte))
      await rejectsWith(bench.put('shop/once', body, { createOnly: true }), 'storage.exists')
      assert(body.destroyed, 'the source goes on')
      await bench.holds('shop/once', Buffer.from('first'))
      await leftNothing(bench)
    },
  },
  {
    name: 'replaces an object without createOnly',
    async check(bench) {
      await bench.put('shop/twice', noise(200_000, 1))
      const stored = await bench.put('shop/twice', noise(100, 2))
      assert.equal(stored.bytes, 100)
      await bench.holds('shop/twice', noise(100, 2))
      assert.deepEqual(await bench.keys(), ['shop/twice'])
    },
  },
  {
    name: 'deletes an object, and takes one that is not there for deleted',
    async check(bench) {
      await bench.put('shop/a', Buffer.from('a'))
      await bench.put('shop/b', Buffer.from('b'))
      await bench.delete('shop/a')
      await bench.lacks('shop/a')
      await bench.delete('shop/a')
      await bench.delete('never/was/there')
      assert.deepEqual(await bench.keys(), ['shop/b'])
      await bench.put('shop/a', Buffer.from('again'), { createOnly: true })
      await bench.holds('shop/a', Buffer.from('again'))
    },
  },
  {
    name: 'FAILURES 7: sweeps what is old and unfinished, nothing else',
    async check(bench) {
      await bench.put('shop/finished', Buffer.from('finished'))
      const source = heldSource(noise(3 * mebibyte))
      const put = bench.put('shop/unfinished', source.body)
      await source.taken
      assert.equal(await bench.storage.sweep(bench.cx, day), 0, 'what is being written was swept')
      const swept = await bench.storage.sweep(bench.contextAfter(2 * day), day)
      source.end()
      if (swept === 0) {
        // A storage where an unfinished put leaves nothing.
        await put
        await bench.holds('shop/unfinished', noise(3 * mebibyte))
      } else {
        assert.equal(swept, 1)
        await assert.rejects(put, { name: 'HoldfastError' })
        await bench.lacks('shop/unfinished')
      }
      await bench.holds('shop/finished', Buffer.from('finished'))
    },
  },
]

/** No remains that a sweep would find, whatever their age. */
async function leftNothing(bench: StorageBench): Promise<void> {
  assert.equal(await bench.storage.sweep(bench.contextAfter(day), 0), 0, 'something was left behind')
}
