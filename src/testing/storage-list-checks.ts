import { strict as assert } from 'node:assert'
import { noise, type StorageBench, type StorageCheck } from './storage-bench.js'

/** Names that have broken other tools, in the order of their UTF-8 bytes. */
const oddKeys = [
  ' leading space/x',
  '#hash',
  '%2e%2e/x',
  "'quoted'",
  '+plus+',
  '-rf',
  '--help/-',
  '100%',
  'Upper',
  '[a-z]*?',
  'a b/c  d',
  'a!b',
  'a-b',
  'a.b',
  // A slash sorts after `-` and `.`, before digits and letters, so a folder and its neighbours interleave.
  'a/b',
  'a/b-c',
  'a/b.c',
  'a0',
  'ab',
  'shop.manifest.json',
  'shop/2026-03-15.dump.zst',
  'shop:eu',
  'tab?query=1&x=y',
  'é',
  '数据库/备份',
  // UTF-16 would put the emoji before this one.
  '\uffee',
  '😀',
].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** Promises of `list`. */
export const listChecks: readonly StorageCheck[] = [
  {
    name: 'lists nothing where nothing is',
    async check(bench) {
      assert.deepEqual(await bench.keys(), [])
      assert.deepEqual(await bench.keys('shop/'), [])
      await bench.put('shop/a', Buffer.from('a'))
      await bench.delete('shop/a')
      assert.deepEqual(await bench.keys(), [])
    },
  },
  {
    name: 'FAILURES 39: takes odd names, and lists them in the order of their bytes',
    async check(bench) {
      for (const [index, key] of oddKeys.entries()) await bench.put(key, noise(index, index))
      assert.deepEqual(await bench.keys(), oddKeys)
      for (const [index, key] of oddKeys.entries()) await bench.holds(key, noise(index, index))
      for (const key of oddKeys) await bench.delete(key)
      assert.deepEqual(await bench.keys(), [])
    },
  },
  {
    name: 'lists by prefixes that may end within a name',
    async check(bench) {
      const keys = ['shop', 'shop-old/a', 'shop.x', 'shop/a', 'shop/ab/c', 'shop/b', 'shop2/a', 'sho/p']
        .filter((key) => key !== 'shop')
        .sort()
      for (const key of keys) await bench.put(key, Buffer.from(key))
      const starting = (prefix: string): string[] => keys.filter((key) => key.startsWith(prefix))
      for (const prefix of [
        '',
        's',
        'sho',
        'sho/',
        'shop',
        'shop/',
        'shop/a',
        'shop/ab',
        'shop/ab/',
        'shop2',
      ]) {
        assert.deepEqual(await bench.keys(prefix), starting(prefix), `prefix ${prefix}`)
      }
      for (const prefix of ['x', 'shop/x/y', 'shop/a/', 'SHOP', 'hop', '*', 'sho?']) {
        assert.deepEqual(await bench.keys(prefix), [], `prefix ${prefix}`)
      }
    },
  },
  {
    name: 'lets a reader of the list leave early',
    async check(bench) {
      for (const key of ['a', 'b', 'c']) await bench.put(key, Buffer.from(key))
      for await (const { key } of bench.storage.list(bench.cx, '')) {
        assert.equal(key, 'a')
        break
      }
      assert.deepEqual(await bench.keys(), ['a', 'b', 'c'])
    },
  },
  {
    name: 'FAILURES 23: breaks off a list that is interrupted with an error',
    async check(bench) {
      await bench.put('shop/a', Buffer.from('a'))
      const reason = new Error('Ctrl-C')
      const list = async (): Promise<void> => {
        for await (const _object of bench.storage.list(bench.contextWith(AbortSignal.abort(reason)), ''))
          continue
      }
      await assert.rejects(list(), (thrown) => thrown === reason)
    },
  },
  {
    name: 'says where it is, in one line',
    check(bench: StorageBench) {
      assert.match(bench.storage.describe(), /^\S[^\r\n]*$/u)
      return Promise.resolve()
    },
  },
]

/** A list of more than one page. */
export function manyObjectsCheck(count: number): StorageCheck {
  return {
    name: `lists ${count} objects, each once`,
    async check(bench) {
      const keys = Array.from({ length: count }, (_, index) => `shop/${String(index).padStart(5, '0')}`)
      await inParallel(keys, 16, (key) => bench.put(key, Buffer.from(key)))
      const objects = await bench.list('shop/')
      assert.deepEqual(
        objects.map(({ key }) => key),
        keys,
      )
      assert(
        objects.every(({ key, bytes }) => bytes === key.length),
        'a size is wrong',
      )
      const tens = keys.filter((key) => key.startsWith('shop/0001'))
      assert.deepEqual(await bench.keys('shop/0001'), tens)
    },
  }
}

async function inParallel<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
}
