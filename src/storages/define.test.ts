import { Readable } from 'node:stream'
import { expect, expectTypeOf, it } from 'vitest'
import type { Context } from '../env/context.js'
import { fakeEnv } from '../testing/fake-env.js'
import { defineStorage, type CustomStorage } from './define.js'
import { objectKey } from './object-key.js'

const where = { name: 'main', baseDirectory: '/' }
const cx: Context = { env: fakeEnv(), signal: new AbortController().signal, emit: () => undefined }
const key = objectKey('a')

const nothing: CustomStorage = {
  put: () => Promise.reject(new Error('no room on the shelf')),
  get: () => Promise.reject(new Error('no ladder')),
  stat: () => Promise.resolve(undefined),
  async *list() {
    yield await Promise.reject(new Error('no light'))
  },
  delete: () => Promise.resolve(),
}

it('settings have the types that their check gives them', () => {
  defineStorage({
    driver: 'shelf',
    settings: ({ height }) => ({ height: Number(height) }),
    open({ height }) {
      expectTypeOf(height).toBeNumber()
      return nothing
    },
  })
})

it('errors of the settings and of the storage say whose they are', async () => {
  const shelf = defineStorage({
    driver: 'shelf',
    settings({ folder }) {
      if (typeof folder !== 'string') throw new Error('a shelf needs a folder')
      return { folder }
    },
    open: () => nothing,
  })
  await expect(shelf.open({ driver: 'shelf' }, where)).rejects.toMatchObject({
    code: 'config.invalid',
    message: 'storages.main: a shelf needs a folder',
  })
  const storage = await shelf.open({ driver: 'shelf', folder: 'x' }, where)
  const failed = (why: string) => ({ code: 'storage.failed', message: `the storage shelf: ${why}` })
  const body = Readable.from(['x'])
  await expect(storage.put(cx, key, body)).rejects.toMatchObject(failed('no room on the shelf'))
  expect(body.destroyed).toBe(true)
  await expect(storage.get(cx, key)).rejects.toMatchObject(failed('no ladder'))
  await expect(storage.list(cx, '')[Symbol.asyncIterator]().next()).rejects.toMatchObject(failed('no light'))
})

it('what is left out is taken for absent', async () => {
  const storage = await defineStorage({ driver: 'shelf', open: () => nothing }).open({}, where)
  expect(storage.describe()).toBe('shelf main')
  expect(storage.capabilities).toMatchObject({ atomicPut: true, createOnly: false, ranges: false })
  expect(await storage.sweep(cx, 0)).toBe(0)
  await storage.close()
})

it('refuses a name that no URL could have', () => {
  expect(() => defineStorage({ driver: 'My Shelf', open: () => nothing })).toThrow('cannot be the name')
})
