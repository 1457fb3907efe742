import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { needsTool } from '../servers/needs.js'
import { runTool } from '../../src/process/run.js'
import { nodeEnv } from '../../src/env/node-env.js'
import {
  contentOf,
  execute,
  filesBelow,
  holdfastIn,
  keyRing,
  listener,
  makeShop,
  resultOf,
  testFolder,
} from './workbench.js'

const shop: HoldfastConfig = { databases: { shop: 'sqlite:./shop.sqlite3' } }

async function shopIn(folder: string, config: HoldfastConfig = {}) {
  makeShop(join(folder, 'shop.sqlite3'))
  return holdfastIn(folder, { ...shop, ...config })
}

describe('back up, list, show, verify, restore', () => {
  it('gives back every row', async () => {
    const folder = await testFolder()
    const { emit, progress } = listener()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, shop, { emit })
    const before = contentOf(join(folder, 'shop.sqlite3'))

    const result = resultOf(await hf.backup())
    expect(progress.at(-1)).toBe(result.plainBytes)
    expect(result.filename).toMatch(/^shop-test-\d{4}-\d\d-\d\d-\d{6}\.sqlite3\.zst$/u)
    expect(filesBelow(join(folder, 'backups'))).toEqual(
      [`shop/${result.id}.manifest.json`, `shop/${result.filename}`].sort(),
    )

    const { backups, damaged } = await hf.list()
    expect(damaged).toEqual([])
    expect(backups).toEqual([result.backup])
    expect(await hf.show({ backup: result.id.slice(0, 12) })).toEqual(result.backup)
    expect(await hf.show({ backup: result.filename })).toEqual(result.backup)
    expect((await hf.verify()).results).toMatchObject([
      { id: result.id, ok: true, result: { decoded: true } },
    ])

    execute(
      join(folder, 'shop.sqlite3'),
      'DELETE FROM orders; DROP VIEW totals; UPDATE customers SET name = NULL WHERE 0',
    )
    expect(contentOf(join(folder, 'shop.sqlite3'))).not.toBe(before)
    const report = await hf.restore({ confirm: true })
    expect(report).toMatchObject({
      restored: true,
      plan: { source: result.id, target: 'shop', protected: false },
    })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(before)
  })

  it('the manifest tells what was backed up', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder, { metadata: ({ database }) => ({ ticket: `OPS-${database}` }) })
    const { backup } = resultOf(await hf.backup())
    const text = readFileSync(join(folder, `backups/shop/${backup?.manifest.id}.manifest.json`), 'utf8')
    expect(JSON.parse(text)).toMatchObject({
      formatVersion: 1,
      server: 'test',
      database: { alias: 'shop' },
      engine: 'sqlite',
      connector: 'sqlite-backup',
      source: { product: 'SQLite', tables: 3 },
      metadata: { ticket: 'OPS-shop' },
      parts: [{ name: 'dump', role: 'dump', stages: [{ id: 'zstd' }] }],
    })
  })

  it('without a configuration file, a URL is enough', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, {})
    const result = resultOf(await hf.backup({ databases: [`sqlite:${join(folder, 'shop.sqlite3')}`] }))
    expect(result.plainBytes).toBeGreaterThan(8192)
  })

  it('restores into another file, which must not be there without being asked for', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder)
    resultOf(await hf.backup())
    const copy = join(folder, 'copy.sqlite3')
    await expect(hf.restore({ to: `sqlite:${copy}`, confirm: true })).rejects.toMatchObject({
      code: 'database.not-found',
    })
    expect(existsSync(copy)).toBe(false)
    await hf.restore({ to: `sqlite:${copy}`, create: true, confirm: true })
    expect(contentOf(copy)).toBe(contentOf(join(folder, 'shop.sqlite3')))
  })

  it('a dry run changes nothing and gives the plan', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder)
    resultOf(await hf.backup())
    execute(join(folder, 'shop.sqlite3'), 'DELETE FROM orders')
    const before = contentOf(join(folder, 'shop.sqlite3'))
    const { plan, restored } = await hf.restore({ dryRun: true })
    expect(restored).toBe(false)
    expect(plan.losses.length).toBeGreaterThan(0)
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(before)
  })

  it('a part of a backup does not replace a whole database', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder)
    resultOf(await hf.backup())
    const part = { tables: ['orders'], clean: 'database', confirm: true } as const
    await expect(hf.restore(part)).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining('all of the database would be dropped') as string,
    })
  })

  it('one database that fails does not stop the others', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, { databases: { gone: 'sqlite:./gone.sqlite3', ...shop.databases } })
    expect(await hf.backup()).toMatchObject([
      { database: 'gone', ok: false, error: { code: 'database.not-found' } },
      { database: 'shop', ok: true },
    ])
    expect((await hf.list()).backups.length).toBe(1)
  })
})

describe('names', () => {
  it('FAILURES 13: a fixed name gets a number, never an overwrite, and two runs at once both survive', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder, { filename: 'fixed' })
    const results = await Promise.all([hf.backup(), hf.backup(), hf.backup()])
    const names = results.map((outcomes) => resultOf(outcomes).filename)
    expect([...names].sort()).toEqual(['fixed-2.zst', 'fixed-3.zst', 'fixed.zst'])
    expect((await hf.verify({ all: true })).results.every(({ ok }) => ok)).toBe(true)
    expect((await hf.list()).backups.length).toBe(3)
  })

  it('an alias with odd characters stays inside the storage', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, { databases: { '../../évil name': 'sqlite:./shop.sqlite3' } })
    const { id } = resultOf(await hf.backup())
    expect(
      filesBelow(folder).every((name) => name.startsWith('backups/') || name.startsWith('shop.sqlite3')),
    ).toBe(true)
    expect((await hf.show({ backup: id })).manifest.database.alias).toBe('../../évil name')
    expect((await hf.verify()).results).toMatchObject([{ ok: true }])
  })
})

describe('output', () => {
  it('writes the artifact to a path, once', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder)
    const output = join(folder, 'out.sqlite3.zst')
    const result = resultOf(await hf.backup({ output }))
    expect(result.backup).toBeUndefined()
    expect(statSync(output).size).toBe(result.storedBytes)
    expect(statSync(output).mode & 0o777).toBe(0o600)
    expect(await hf.backup({ output })).toMatchObject([{ ok: false, error: { code: 'storage.exists' } }])
    expect(filesBelow(folder).filter((name) => name.includes('partial'))).toEqual([])
    expect(existsSync(join(folder, 'backups'))).toBe(false)

    execute(join(folder, 'shop.sqlite3'), "UPDATE customers SET name = 'nobody'")
    await hf.restore({ backup: output, confirm: true })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toContain('customer 1 ')
  })
})

describe('encryption', () => {
  it('needs no key to back up, and the right one to restore', async () => {
    const folder = await testFolder()
    const [mine, other] = [await generateX25519Identity(), await generateX25519Identity()]
    const encrypted: HoldfastConfig = { encrypt: { age: { recipients: [await identityToRecipient(mine)] } } }
    const without = await shopIn(folder, encrypted)
    const before = contentOf(join(folder, 'shop.sqlite3'))
    const { id, filename } = resultOf(await without.backup())
    expect(filename).toMatch(/\.sqlite3\.zst\.age$/u)

    expect((await without.verify()).results).toMatchObject([{ ok: true, result: { decoded: false } }])
    await expect(without.restore({ confirm: true })).rejects.toMatchObject({ code: 'key.missing' })

    const wrong = await holdfastIn(folder, { ...shop, ...encrypted }, { keys: keyRing(other) })
    expect((await wrong.verify()).results).toMatchObject([
      { id, ok: false, error: { code: 'integrity.wrong-key' } },
    ])
    await expect(wrong.restore({ confirm: true })).rejects.toMatchObject({ code: 'integrity.wrong-key' })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(before)

    const right = await holdfastIn(folder, { ...shop, ...encrypted }, { keys: keyRing(other, mine) })
    expect((await right.verify()).results).toMatchObject([{ ok: true, result: { decoded: true } }])
    execute(join(folder, 'shop.sqlite3'), 'DELETE FROM orders')
    await right.restore({ confirm: true })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(before)
  })

  needsTool('age', 'zstd').it('is opened by hand with age and zstd', async () => {
    const folder = await testFolder()
    const identity = await generateX25519Identity()
    const hf = await shopIn(folder, {
      encrypt: { age: { recipients: [await identityToRecipient(identity)] } },
    })
    const { filename } = resultOf(await hf.backup())
    writeFileSync(join(folder, 'key.txt'), `${identity}\n`, { mode: 0o600 })
    const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
    const artifact = join(folder, 'backups/shop', filename)
    await runTool(cx, {
      program: 'age',
      args: ['-d', '-i', join(folder, 'key.txt'), '-o', join(folder, 'hand.zst'), artifact],
    })
    await runTool(cx, {
      program: 'zstd',
      args: ['-q', '-d', join(folder, 'hand.zst'), '-o', join(folder, 'hand.sqlite3')],
    })
    expect(contentOf(join(folder, 'hand.sqlite3'))).toBe(contentOf(join(folder, 'shop.sqlite3')))
  })
})

describe('confirmation', () => {
  it('without a yes nothing is changed', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder)
    resultOf(await hf.backup())
    execute(join(folder, 'shop.sqlite3'), 'DELETE FROM orders')
    const before = contentOf(join(folder, 'shop.sqlite3'))
    await expect(hf.restore()).rejects.toMatchObject({ code: 'refused.not-confirmed' })
    await expect(hf.restore({ confirm: () => Promise.resolve(false) })).rejects.toMatchObject({
      code: 'refused.not-confirmed',
    })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(before)
  })

  it('a protected database wants its name', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, {
      databases: { shop: { url: 'sqlite:./shop.sqlite3', protected: true } },
    })
    resultOf(await hf.backup())
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'refused.protected' })
    await expect(hf.restore({ confirm: true, confirmName: 'wrong' })).rejects.toMatchObject({
      code: 'refused.protected',
    })
    await hf.restore({ confirm: true, confirmName: 'shop' })
  })

  it('validateRestore and a hook may refuse; nothing is changed', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const refuse = () => {
      throw new Error('not into production')
    }
    const validating = await holdfastIn(folder, { ...shop, validateRestore: refuse })
    resultOf(await validating.backup())
    execute(join(folder, 'shop.sqlite3'), 'DELETE FROM orders')
    const before = contentOf(join(folder, 'shop.sqlite3'))
    await expect(validating.restore({ confirm: true })).rejects.toMatchObject({ code: 'refused.hook' })
    const hooked = await holdfastIn(folder, { ...shop, hooks: { beforeRestore: refuse } })
    await expect(hooked.restore({ confirm: true })).rejects.toMatchObject({ code: 'refused.hook' })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(before)
  })
})

describe('prune', () => {
  it('does not know a name that is neither configured nor in a storage', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder)
    resultOf(await hf.backup())
    await expect(hf.prune({ databases: ['shpo'] })).rejects.toMatchObject({ code: 'usage.unknown-database' })
  })

  it('removes by plan, artifacts and manifests together, and keeps the newest', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder, { retention: { last: 2 } })
    const ids: string[] = []
    for (let run = 0; run < 4; run++) ids.push(resultOf(await hf.backup()).id)
    const dry = await hf.prune({ dryRun: true })
    expect(dry).toMatchObject({ removed: [], dryRun: true })
    expect(dry.decisions.map(({ keep, backup }) => [backup.manifest.id, keep])).toEqual([
      [ids[3], true],
      [ids[2], true],
      [ids[1], false],
      [ids[0], false],
    ])
    expect(dry.decisions.filter(({ keep }) => keep).every(({ reasons }) => reasons.length > 0)).toBe(true)
    expect(filesBelow(join(folder, 'backups')).length).toBe(8)
    expect((await hf.prune()).removed).toEqual([ids[1], ids[0]])
    expect(filesBelow(join(folder, 'backups')).length).toBe(4)
    expect((await hf.verify({ all: true })).results.map(({ id, ok }) => [id, ok])).toEqual([
      [ids[3], true],
      [ids[2], true],
    ])
  })

  it('by the policy of the database, then of the storage, then of all', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'other.sqlite3'))
    const hf = await shopIn(folder, {
      databases: {
        shop: 'sqlite:./shop.sqlite3',
        other: { url: 'sqlite:./other.sqlite3', retention: { last: 2 } },
      },
      storages: { main: './main', offsite: { driver: 'local', path: './offsite', retention: { last: 3 } } },
      retention: { last: 1 },
    })
    for (let run = 0; run < 4; run++) await hf.backup()
    await hf.prune()
    const left = (await hf.list()).backups.map(
      ({ storage, manifest }) => `${storage} ${manifest.database.alias}`,
    )
    const counts = left.reduce(
      (all, each) => all.set(each, (all.get(each) ?? 0) + 1),
      new Map<string, number>(),
    )
    expect(Object.fromEntries(counts)).toEqual({
      'main shop': 1,
      'offsite shop': 3,
      'main other': 2,
      'offsite other': 2,
    })
  })

  it('with a backup, only after it succeeded', async () => {
    const folder = await testFolder()
    const hf = await shopIn(folder, { retention: { last: 1 } })
    const first = resultOf(await hf.backup({ prune: true }))
    expect(resultOf(await hf.backup({ prune: true })).pruned).toEqual([first.id])
    await expect(hf.backup({ prune: true, exclude: ['orders'] })).rejects.toMatchObject({
      code: 'usage.not-supported',
    })
    expect((await hf.list()).backups.length).toBe(1)
  })
})
