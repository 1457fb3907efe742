import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contentOf, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

it('maxRate: a dump leaves its database, and comes back, at no more than that', async () => {
  const folder = await testFolder()
  const path = join(folder, 'shop.sqlite3')
  makeShop(path, 4_000)
  const databases = { shop: 'sqlite:./shop.sqlite3' }
  const free = await holdfastIn(folder, { databases, storages: { main: './backups' } })
  const { id, plainBytes } = resultOf(await free.backup())
  const rate = Math.round(plainBytes / 1000)
  const hf = await holdfastIn(folder, {
    databases,
    storages: { main: './backups' },
    maxRate: `${rate}kB/s`,
  })
  // One second at that rate; the first tenth of it passes at once.
  expect(await secondsOf(async () => resultOf(await hf.backup()))).toBeGreaterThan(0.85)
  const content = contentOf(path)
  const copy = join(folder, 'copy.sqlite3')
  const restore = () => hf.restore({ backup: id, to: `sqlite:${copy}`, create: true, confirm: true })
  expect(await secondsOf(restore)).toBeGreaterThan(0.85)
  expect(contentOf(copy)).toBe(content)
})

it.each([
  ['fast', 'maxRate (the configuration) is fast, not a rate such as 20MB/s or 512KiB/s'],
  ['20MB', 'maxRate (the configuration) is 20MB, not a rate such as 20MB/s or 512KiB/s'],
])('maxRate: %s is refused, naming the setting', async (maxRate, message) => {
  await expect(holdfastIn(await testFolder(), { maxRate })).rejects.toMatchObject({
    code: 'config.invalid',
    message,
  })
})
