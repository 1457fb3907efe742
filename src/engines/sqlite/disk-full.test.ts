import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeEnv } from '../../env/node-env.js'
import { connectorNames, connectorOf, dump, sourceOf, type ConnectorName } from './test-connector.js'
import { removeTestFolders, TestDatabase, testContext, testFolder } from './test-database.js'

/** A file system of 8 MiB, where this account may mount one. */
const small = (() => {
  const folder = testFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    return undefined
  }
})()
const title = small === undefined ? ' (skipped: this account may not mount a small file system)' : ''

const source = new TestDatabase()
beforeAll(() => source.run(rows(1, 4)))
afterAll(() => {
  if (small !== undefined) execFileSync('umount', ['--lazy', small])
  removeTestFolders()
})

/** About so many megabytes. */
function rows(value: number, megabytes: number): string {
  return `CREATE TABLE t(v, filler); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${megabytes * 500})
    INSERT INTO t SELECT ${value}, randomblob(1990) FROM c`
}

/**
 * Read from a copy elsewhere: the driver closes a file for good only when its statements have been collected, and until then
 * a removed file takes its room.
 */
function contentOf(database: TestDatabase): Record<string, string> {
  const copy = new TestDatabase()
  copyFileSync(database.path, copy.path)
  return copy.digestOfAll()
}

async function restoreUnsized(name: ConnectorName, target: TestDatabase, bytes: Buffer): Promise<unknown> {
  const { open } = sourceOf(bytes)
  const request = { clean: 'database' as const, create: false, disconnect: false, schemas: [] }
  return connectorOf(name, target).restore(
    testContext(),
    { parts: [{ name: 'dump', role: 'dump' }], open },
    request,
  )
}

describe('FAILURES 5: no space left', () => {
  it.skipIf(small === undefined)(`for the copy of sqlite-backup${title}`, async () => {
    const filler = new TestDatabase(join(small ?? '', 'filler.db'))
    filler.run(rows(0, 5))
    const folder = mkdtempSync(join(small ?? '', 'temporary-'))
    const remove = () => Promise.resolve(rmSync(folder, { recursive: true, force: true }))
    const temporaryDirectory = () =>
      Promise.resolve({ path: folder, remove, writeFile: () => Promise.reject(new Error('not asked for')) })
    const cx = { ...testContext(), env: { ...nodeEnv(), temporaryDirectory } }
    const failed = dump('sqlite-backup', source, {}, cx).then(() => 'a success')
    await expect(failed).rejects.toMatchObject({
      code: 'storage.full',
      message: expect.stringContaining(folder) as string,
    })
    expect(readdirSync(small ?? '')).toEqual(['filler.db'])
    await filler.drop()
  })

  it.skipIf(small === undefined).each(connectorNames)(
    `for what %s restores: the old content is whole${title}`,
    async (name) => {
      const { bytes } = await dump(name, source)
      // Too little for the file beside the target, and too little for the journal of its replacement.
      for (const megabytes of [5, 2]) {
        const target = new TestDatabase(join(small ?? '', 'app.db'))
        target.run(rows(2, megabytes))
        const before = contentOf(target)
        await expect(restoreUnsized(name, target, bytes)).rejects.toMatchObject({ code: 'storage.full' })
        expect(readdirSync(small ?? '')).toEqual(['app.db'])
        expect(contentOf(target)).toEqual(before)
        await target.drop()
      }
    },
  )

  it.skipIf(small === undefined)(
    `is seen before a restore begins, where the size is known${title}`,
    async () => {
      const { bytes } = await dump('sqlite-copy', source)
      const target = new TestDatabase(join(small ?? '', 'app.db'))
      target.run(rows(2, 5))
      const request = { clean: 'database' as const, create: false, disconnect: false, schemas: [] }
      const prepared = connectorOf('sqlite-copy', target).prepareRestore(
        testContext(),
        sourceOf(bytes),
        request,
      )
      await expect(prepared).rejects.toMatchObject({ code: 'storage.full' })
      await target.drop()
    },
  )
})
