import { join } from 'node:path'
import { expect, it } from 'vitest'
import { execute, filesBelow, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

it('hooks are told of a backup and a restore, without passwords', async () => {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'))
  const seen: unknown[] = []
  const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
  hf.on('beforeBackup', (event) => void seen.push(['beforeBackup', event]))
  hf.on('afterBackup', (event) => void seen.push(['afterBackup', event]))
  hf.once('beforeRestore', (event) => void seen.push(['beforeRestore', event]))
  hf.on('afterRestore', (event) => void seen.push(['afterRestore', event]))
  const { filename, backup } = resultOf(await hf.backup())
  await hf.restore({ confirm: true })
  const name = join(folder, 'shop.sqlite3')
  const database = { alias: 'shop', name, engine: 'sqlite' }
  expect(seen).toEqual([
    ['beforeBackup', { database, connector: 'sqlite-backup', server: 'test' }],
    [
      'afterBackup',
      {
        database,
        connector: 'sqlite-backup',
        server: 'test',
        filename,
        storage: 'main',
        manifest: backup?.manifest,
      },
    ],
    [
      'beforeRestore',
      { database, databaseName: name, filename: `shop/${filename}`, server: 'test', storage: 'main' },
    ],
    [
      'afterRestore',
      {
        database,
        databaseName: name,
        filename: `shop/${filename}`,
        server: 'test',
        storage: 'main',
        connector: 'sqlite-backup',
      },
    ],
  ])
})

it('a throw before a backup stops that database only, before anything happens', async () => {
  const folder = await testFolder()
  makeShop(join(folder, 'one.sqlite3'))
  makeShop(join(folder, 'two.sqlite3'))
  const hf = await holdfastIn(folder, {
    databases: { one: 'sqlite:./one.sqlite3', two: 'sqlite:./two.sqlite3' },
  })
  hf.on('beforeBackup', ({ database }) => {
    if (database.alias === 'one') throw new Error('frozen')
  })
  expect(await hf.backup()).toMatchObject([
    { database: 'one', ok: false, error: { code: 'refused.hook' } },
    { database: 'two', ok: true },
  ])
  expect(filesBelow(join(folder, 'backups')).every((name) => name.startsWith('two/'))).toBe(true)
})

it('a throw after a backup is an error, and the backup stays valid', async () => {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'))
  const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
  hf.on('afterBackup', () => {
    throw new Error('mail server is down')
  })
  expect(await hf.backup()).toMatchObject([
    {
      ok: false,
      error: {
        code: 'hook.failed',
        message: 'the backup is complete; the hook afterBackup failed: mail server is down',
      },
      partial: { failedStorages: [] },
    },
  ])
  execute(join(folder, 'shop.sqlite3'), 'DELETE FROM orders')
  expect((await hf.verify()).results).toMatchObject([{ ok: true }])
})
