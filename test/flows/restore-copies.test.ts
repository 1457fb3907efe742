import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { HoldfastError } from '../../src/errors.js'
import { localDriver } from '../../src/storages/local/driver.js'
import type { StorageDriver } from '../../src/storages/storage.js'
import { faultyStorage, type StorageFaults } from '../../src/testing/faulty-storage.js'
import { built, documentOf, holdfast, project } from '../cli/command-line.js'
import { contentOf, execute, filesBelow, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

const artifact = (key: string) => key.endsWith('.zst')
const broken = new HoldfastError('storage.failed', 'the disk makes noises')

/** A damaged shop with a backup in main and in offsite; `holdfast` reads main with faults. */
async function shop() {
  const folder = await testFolder()
  const file = join(folder, 'shop.sqlite3')
  makeShop(file)
  const withFaults = (main: StorageFaults, offsite: StorageFaults = {}, more: HoldfastConfig = {}) => {
    const driver = (name: string, faults: StorageFaults): StorageDriver => ({
      driver: name,
      open: async (settings, where) => faultyStorage(await localDriver.open(settings, where), faults),
    })
    return holdfastIn(folder, {
      databases: { shop: 'sqlite:./shop.sqlite3' },
      storageDrivers: [driver('first', main), driver('second', offsite)],
      storages: {
        main: { driver: 'first', path: './main' },
        offsite: { driver: 'second', path: './offsite' },
      },
      ...more,
    })
  }
  const before = contentOf(file)
  const { id } = resultOf(await (await withFaults({})).backup())
  const lose = (storage: string) => {
    for (const name of filesBelow(join(folder, storage)).filter(artifact)) rmSync(join(folder, storage, name))
  }
  execute(file, 'DELETE FROM orders')
  return { folder, file, id, before, lost: contentOf(file), withFaults, lose }
}

describe('a backup in several storages', () => {
  it.each<[string, StorageFaults, RegExp]>([
    ['cannot be opened', { matches: artifact, failGet: { afterBytes: 0, error: broken } }, /makes noises/u],
    ['breaks off', { matches: artifact, failGet: { afterBytes: 3000, error: broken } }, /makes noises/u],
    [
      'ends too early',
      { matches: artifact, truncateGet: { bytes: 3000 } },
      /ends after|ends too early|ends within/u,
    ],
    ['has another bit', { matches: artifact, flipBit: { byte: 4000 } }, /differs|damaged|checksum|corrupt/u],
    ['cannot be looked at', { matches: artifact, failStat: broken }, /makes noises/u],
  ])('is restored from the next where the first copy %s, and says so', async (_how, faults, why) => {
    const { file, before, withFaults } = await shop()
    const hf = await withFaults(faults)
    const { plan, warnings } = await hf.restore({ confirm: true })
    expect(plan).toMatchObject({ storage: 'offsite' })
    expect(contentOf(file)).toBe(before)
    expect(warnings).toEqual([expect.stringMatching(/^the copy in main cannot be used: /u)])
    expect(warnings.join()).toMatch(why)
  })

  it('is restored from the next where the first has lost it; by its id, too', async () => {
    for (const backup of [undefined, 'id']) {
      const { file, id, before, withFaults, lose } = await shop()
      lose('main')
      const hf = await withFaults({})
      const report = await hf.restore({ confirm: true, ...(backup === undefined ? {} : { backup: id }) })
      expect(report.warnings).toEqual([
        expect.stringMatching(/^the copy in main cannot be used: artifact shop\/\S+ is not in the storage$/u),
      ])
      expect(report.plan.storage).toBe('offsite')
      expect(contentOf(file)).toBe(before)
    }
  })

  it('a whole first copy is used without a word', async () => {
    const { file, before, withFaults } = await shop()
    const hf = await withFaults({}, { matches: artifact, failGet: { afterBytes: 0, error: broken } })
    expect(await hf.restore({ confirm: true })).toMatchObject({ plan: { storage: 'main' }, warnings: [] })
    expect(contentOf(file)).toBe(before)
  })

  it('where no copy is whole, each is named, and nothing changes', async () => {
    const { file, lost, withFaults, lose } = await shop()
    lose('main')
    const hf = await withFaults({}, { matches: artifact, flipBit: { byte: 4000 } })
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({
      code: 'integrity.missing-artifact',
      message: expect.stringMatching(
        /^the copy in main cannot be used: .* is not in the storage; the copy in offsite cannot be used: /u,
      ) as string,
    })
    expect(contentOf(file)).toBe(lost)
  })

  it('the storage that is named is the only one that is asked', async () => {
    const { file, lost, withFaults, lose } = await shop()
    lose('main')
    const hf = await withFaults({})
    await expect(hf.restore({ storage: 'main', confirm: true })).rejects.toMatchObject({
      code: 'integrity.missing-artifact',
      message: expect.stringMatching(/^artifact shop\/\S+ is not in the storage$/u) as string,
    })
    expect(contentOf(file)).toBe(lost)
  })

  it('what has nothing to do with a copy is told at once', async () => {
    const { withFaults } = await shop()
    const recipient = await identityToRecipient(await generateX25519Identity())
    const hf = await withFaults({}, {}, { encrypt: { age: { recipients: [recipient] } } })
    resultOf(await hf.backup())
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'key.missing' })
  })
})

describe('where a storage cannot be asked', () => {
  const silent: StorageFaults = { failList: { afterObjects: 0, error: broken } }

  it('the latest of the others is restored, with a warning that a newer one may be there', async () => {
    const { file, id, before, withFaults } = await shop()
    const hf = await withFaults(silent)
    const { warnings, plan } = await hf.restore({ confirm: true })
    expect(plan.storage).toBe('offsite')
    expect(warnings).toEqual(['main could not be asked: the disk makes noises; a newer backup may be there'])
    expect(contentOf(file)).toBe(before)
    const named = await hf.restore({ backup: id, dryRun: true })
    expect(named.warnings).toEqual(['main could not be asked: the disk makes noises'])
  })

  it('a backup that the others do not have is a failure of that storage, not an absence', async () => {
    const { withFaults } = await shop()
    const hf = await withFaults(silent)
    await expect(hf.restore({ backup: '1999', confirm: true })).rejects.toMatchObject({
      code: 'storage.failed',
      message: 'no backup matches 1999, and main could not be asked: the disk makes noises',
    })
    const none = await withFaults(silent, silent)
    await expect(none.restore({ confirm: true })).rejects.toMatchObject({ code: 'storage.failed' })
    await expect(hf.restore({ storage: 'main', confirm: true })).rejects.toMatchObject({
      code: 'storage.failed',
    })
  })

  it('FAILURES 23: a list and a verification of all are errors still', async () => {
    const { withFaults } = await shop()
    const hf = await withFaults(silent)
    await expect(hf.list()).rejects.toMatchObject({ code: 'storage.failed' })
    await expect(hf.verify({ all: true })).rejects.toMatchObject({ code: 'storage.failed' })
  })
})

built.it('on the command line, where the first storage has lost the artifact', async () => {
  const cwd = await project({ storages: { main: './main', offsite: './offsite' } })
  const file = join(cwd, 'shop.sqlite3')
  expect((await holdfast(['backup', '-q'], { cwd })).code).toBe(0)
  const before = contentOf(file)
  execute(file, 'DELETE FROM orders')
  const [name = ''] = filesBelow(join(cwd, 'main')).filter(artifact)
  rmSync(join(cwd, 'main', name))
  const plan = await holdfast(['restore', '--dry-run'], { cwd })
  expect(plan.code).toBe(0)
  expect(plan.stdout).toMatch(/^ {2}from +\S+ in offsite$/mu)
  expect(plan.stdout).toMatch(
    /^ {2}warning +the copy in main cannot be used: artifact \S+ is not in the storage$/mu,
  )
  const ended = await holdfast(['restore', '--yes', '--json'], { cwd })
  expect(ended.code).toBe(0)
  expect(documentOf(ended)).toMatchObject({
    restored: true,
    plan: { storage: 'offsite' },
    warnings: [expect.stringMatching(/^the copy in main cannot be used/u)],
  })
  expect(contentOf(file)).toBe(before)
})
