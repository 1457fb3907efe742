import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../src/catalog/manifest.js'
import { contentOf, execute, holdfastIn, makeShop, resultOf, testFolder } from '../flows/workbench.js'

/** A shop with a backup; after it the database has been changed, so that a restore would be seen. */
async function backedUpShop(config = {}) {
  const folder = await testFolder()
  const database = join(folder, 'shop.sqlite3')
  makeShop(database)
  const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' }, ...config })
  const { backup } = resultOf(await hf.backup())
  const manifest = backup?.manifest as Manifest
  const artifact = join(folder, 'backups', manifest.parts[0]?.stored.key ?? '')
  execute(database, 'DELETE FROM orders WHERE id > 10')
  const before = contentOf(database)
  const refusedWith = async (expected: string | RegExp, named?: string) => {
    const code = expect.stringMatching(expected) as string
    expect((await hf.verify()).results).toMatchObject([{ ok: false, error: { code } }])
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code })
    if (named !== undefined) await expect(hf.restore({ confirm: true })).rejects.toThrow(named)
    expect(contentOf(database)).toBe(before)
  }
  return { folder, database, hf, manifest, artifact, refusedWith }
}

function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path)
  bytes[offset] = (bytes[offset] ?? 0) ^ 0b100
  writeFileSync(path, bytes)
}

describe.each([{ compress: 'zstd' }, { compress: 'gzip' }, { compress: 'none' }])(
  'FAILURES 16: with compress $compress',
  (config) => {
    it.each(['at the beginning', 'in the middle', 'at the end'])(
      'a flipped bit %s is found, and nothing is restored',
      async (where) => {
        const { artifact, refusedWith } = await backedUpShop(config)
        const { length } = readFileSync(artifact)
        flipBit(
          artifact,
          where === 'at the beginning' ? 0 : where === 'in the middle' ? length >> 1 : length - 1,
        )
        // Which check sees it first depends on where it is.
        await refusedWith(/^integrity\.(checksum|format|truncated)$/u)
      },
    )

    it('a truncated artifact is found', async () => {
      const { artifact, refusedWith } = await backedUpShop(config)
      truncateSync(artifact, readFileSync(artifact).length - 1)
      await refusedWith('integrity.truncated', artifact.split('/').at(-1))
    })
  },
)

describe('FAILURES 16:', () => {
  it('a missing artifact is named by its key', async () => {
    const { artifact, manifest, refusedWith } = await backedUpShop()
    rmSync(artifact)
    await refusedWith('integrity.missing-artifact', manifest.parts[0]?.stored.key)
  })

  it('an artifact that was swapped for that of another backup of the same size is found', async () => {
    const { folder, hf, artifact, manifest } = await backedUpShop({ compress: 'none' })
    const second = resultOf(await hf.backup())
    const other = join(folder, 'backups', second.backup?.manifest.parts[0]?.stored.key ?? '')
    renameSync(artifact, `${artifact}.kept`)
    copyFileSync(other, artifact)
    const { results } = await hf.verify({ backups: [manifest.id] })
    expect(results).toMatchObject([
      { ok: false, error: { code: expect.stringMatching(/^integrity\./u) as string } },
    ])
  })

  it("an extra file is nobody's backup", async () => {
    const { folder, hf, artifact } = await backedUpShop()
    copyFileSync(artifact, join(folder, 'backups/shop/extra.sqlite3.zst'))
    expect((await hf.list()).backups.length).toBe(1)
    expect((await hf.prune()).swept).toEqual([])
  })

  it('a damaged manifest is reported by list and verify, and the others are still there', async () => {
    const { folder, hf, manifest } = await backedUpShop()
    resultOf(await hf.backup())
    truncateSync(join(folder, `backups/shop/${manifest.id}.manifest.json`), 100)
    const { backups, damaged } = await hf.list()
    expect([backups.length, damaged.length]).toEqual([1, 1])
    expect((await hf.verify()).results.map(({ ok }) => ok).sort()).toEqual([false, true])
  })
})

it('FAILURES 19: a backup of a newer format is refused by its own error', async () => {
  const { folder, hf, manifest } = await backedUpShop()
  const path = join(folder, `backups/shop/${manifest.id}.manifest.json`)
  writeFileSync(path, JSON.stringify({ ...manifest, formatVersion: 2 }))
  expect((await hf.list()).damaged).toMatchObject([{ error: { code: 'integrity.newer-format' } }])
  expect((await hf.verify()).results).toMatchObject([
    { ok: false, error: { code: 'integrity.newer-format' } },
  ])
})

it('FAILURES 73: a manifest cannot make restore read outside the storage', async () => {
  const { folder, hf, manifest } = await backedUpShop()
  writeFileSync(join(folder, 'outside'), 'secret')
  const parts = manifest.parts.map((part) => ({ ...part, stored: { ...part.stored, key: '../outside' } }))
  writeFileSync(
    join(folder, `backups/shop/${manifest.id}.manifest.json`),
    JSON.stringify({ ...manifest, parts }),
  )
  await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'storage.unsafe-key' })
})
