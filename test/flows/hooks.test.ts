import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HookEvents } from '../../src/hooks/events.js'
import { contentOf, execute, filesBelow, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

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

it('FAILURES 70: a restore hook that refuses: nothing is changed', async () => {
  const folder = await testFolder()
  const path = join(folder, 'shop.sqlite3')
  makeShop(path)
  const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
  resultOf(await hf.backup())
  execute(path, 'DELETE FROM orders')
  const before = contentOf(path)
  hf.on('beforeRestore', ({ database }) => {
    throw new Error(`${database.alias} is production`)
  })
  await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'refused.hook' })
  expect(contentOf(path)).toBe(before)
})

it('a throw after a restore is an error that says that the restore is complete', async () => {
  const folder = await testFolder()
  const path = join(folder, 'shop.sqlite3')
  makeShop(path)
  const whole = contentOf(path)
  const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
  resultOf(await hf.backup())
  execute(path, 'DELETE FROM orders')
  hf.on('afterRestore', () => {
    throw new Error('cache not cleared')
  })
  await expect(hf.restore({ confirm: true })).rejects.toMatchObject({
    code: 'hook.failed',
    message: `sqlite:${path} is restored; the hook afterRestore failed: cache not cleared`,
  })
  expect(contentOf(path)).toBe(whole)
})

describe('onFailure', () => {
  it('is told of each failure with its phase, its code and its message', async () => {
    const folder = await testFolder()
    for (const name of ['one', 'two', 'three']) makeShop(join(folder, `${name}.sqlite3`))
    const hf = await holdfastIn(folder, {
      databases: {
        one: 'sqlite:./one.sqlite3',
        two: 'sqlite:./two.sqlite3',
        three: 'sqlite:./three.sqlite3',
        gone: 'sqlite:./gone.sqlite3',
      },
    })
    const told: HookEvents['onFailure'][] = []
    hf.on('onFailure', (event, { operation }) => {
      expect(operation).toBe(event.operation)
      told.push(event)
    })
    hf.on('beforeBackup', ({ database }) => {
      if (database.alias === 'one') throw new Error('frozen')
    })
    hf.on('afterBackup', ({ database }) => {
      if (database.alias === 'two') throw new Error('mail server is down')
    })
    const outcomes = await hf.backup()
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, false, true, false])
    const summary = told.map(({ phase, code, server, database }) => [phase, code, server, database?.alias])
    expect(summary).toEqual([
      ['before', 'refused.hook', 'test', 'one'],
      ['after', 'hook.failed', 'test', 'two'],
      ['inspect', 'database.not-found', 'test', 'gone'],
    ])
    expect(told[2]?.message).toContain('gone.sqlite3')
  })

  it('is told of a restore, and not of a person who says no', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
    const { backup } = resultOf(await hf.backup())
    const told: HookEvents['onFailure'][] = []
    hf.on('onFailure', (event) => void told.push(event))
    await expect(hf.restore()).rejects.toMatchObject({ code: 'refused.not-confirmed' })
    expect(told).toEqual([])
    const key = backup?.manifest.parts[0]?.stored.key ?? ''
    truncateSync(join(folder, 'backups', key), 100)
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'integrity.truncated' })
    expect(told).toMatchObject([{ operation: 'restore', phase: 'check', code: 'integrity.truncated' }])
  })

  it('that fails itself hides nothing', async () => {
    const folder = await testFolder()
    const told: string[] = []
    const hf = await holdfastIn(
      folder,
      { databases: { gone: 'sqlite:./gone.sqlite3' } },
      { emit: (event) => void (event.type === 'notice' && told.push(event.message)) },
    )
    hf.on('onFailure', () => {
      throw new Error('no network')
    })
    expect(await hf.backup()).toMatchObject([{ ok: false, error: { code: 'database.not-found' } }])
    expect(told).toContain('the hook onFailure failed: no network')
  })
})

it('onProgress is told up to the last byte, one event at a time, and is awaited', async () => {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'), 20_000)
  const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
  const seen: HookEvents['onProgress'][] = []
  let running = 0
  hf.on('onProgress', async (event) => {
    expect(++running).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 5))
    seen.push(event)
    running--
  })
  const { plainBytes } = resultOf(await hf.backup())
  expect(running).toBe(0)
  expect(seen.at(-1)).toMatchObject({ phase: 'dump', bytes: plainBytes, done: true })
  expect(seen.every((event) => !('type' in event))).toBe(true)
})

describe('retention', () => {
  async function shopWithBackups() {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, {
      databases: { shop: 'sqlite:./shop.sqlite3' },
      retention: { last: 1 },
    })
    const first = resultOf(await hf.backup())
    const second = resultOf(await hf.backup())
    return { hf, ids: [first.id, second.id] }
  }

  it('tells what it is going to remove, and what it has removed', async () => {
    const { hf, ids } = await shopWithBackups()
    const seen: unknown[] = []
    hf.on(
      'beforePrune',
      ({ storage, remove }) =>
        void seen.push(
          storage,
          remove.map(({ id }) => id),
        ),
    )
    hf.on('afterPrune', ({ removed }) => void seen.push(removed))
    await hf.prune({ dryRun: true })
    expect(seen).toEqual([])
    await hf.prune()
    expect(seen).toEqual(['main', [ids[0]], [ids[0]]])
  })

  it('can be vetoed, and then removes nothing', async () => {
    const { hf } = await shopWithBackups()
    hf.on('beforePrune', () => {
      throw new Error('audit')
    })
    await expect(hf.prune()).rejects.toMatchObject({ code: 'refused.hook' })
    expect((await hf.list()).backups.length).toBe(2)
    const [outcome] = await hf.backup({ prune: true })
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: 'the backup is complete; retention failed: the hook beforePrune failed: audit' },
      partial: { failedStorages: [] },
    })
    expect((await hf.list()).backups.length).toBe(3)
  })

  it('does not run when a hook has found fault with the new backup', async () => {
    const { hf } = await shopWithBackups()
    hf.on('afterBackup', () => {
      throw new Error('too small')
    })
    const [outcome] = await hf.backup({ prune: true })
    expect(outcome).toMatchObject({
      ok: false,
      error: {
        message: 'the backup is complete, and no old one was removed; the hook afterBackup failed: too small',
      },
    })
    expect((await hf.list()).backups.length).toBe(3)
  })
})

it('afterVerify is told of each backup, whole or damaged', async () => {
  const folder = await testFolder()
  for (const name of ['one', 'two']) makeShop(join(folder, `${name}.sqlite3`))
  const hf = await holdfastIn(folder, {
    databases: { one: 'sqlite:./one.sqlite3', two: 'sqlite:./two.sqlite3' },
  })
  const [, two] = await hf.backup()
  const key = two?.ok === true ? (two.result.backup?.manifest.parts[0]?.stored.key ?? '') : ''
  truncateSync(join(folder, 'backups', key), 100)
  const seen: HookEvents['afterVerify'][] = []
  hf.on('afterVerify', (event) => void seen.push(event))
  const { results } = await hf.verify()
  expect(seen.map(({ database, ok, code }) => [database, ok, code]).sort()).toEqual([
    ['one', true, undefined],
    ['two', false, 'integrity.truncated'],
  ])
  expect(results.map(({ ok }) => ok).sort()).toEqual([false, true])
  hf.on('afterVerify', () => {
    throw new Error('no report')
  })
  const codes = (await hf.verify()).results.map((result) => (result.ok ? 'ok' : result.error.code))
  expect(codes.sort()).toEqual(['hook.failed', 'integrity.truncated'])
})
