import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sqliteHandle } from '../../src/engines/sqlite/connectors/open-handle.js'
import { needsBuild } from '../servers/needs.js'
import { contentOf, execute, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

const before = /^app\.db_before_\d{8}t\d{6}_[0-9a-f]{6}$/u

describe.skipIf(needsBuild().missing !== undefined)('a restore by swap of a SQLite file', () => {
  it('keeps the old file, its mode, its WAL and the link that leads to it; undo and discard', async () => {
    const { folder, app, fresh, old } = await backedUp()
    chmodSync(app, 0o600)
    symlinkSync(app, join(folder, 'link.db'))
    const config = {
      databases: { app: { url: `sqlite:${join(folder, 'link.db')}`, strategy: 'swap' as const } },
    }
    const hf = await holdfastIn(folder, config)
    const { plan, kept = '' } = await hf.restore({ confirm: true })
    expect(plan).toMatchObject({ strategy: 'swap', keptAs: kept, losses: [], warnings: [] })
    expect([read(app), read(kept)]).toEqual([fresh, old])
    expect([statSync(app).mode & 0o777, readFileSync(app)[19]]).toEqual([0o600, 2])
    expect(filesOf(folder)).toEqual(['app.db', expect.stringMatching(before), 'link.db'])

    const { checks } = await hf.doctor({ databases: ['app'] })
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'swap', status: 'ok', message: `kept: ${kept}` }),
    )

    await hf.undoRestore({ confirm: true })
    expect([read(app), readFileSync(app)[19]]).toEqual([old, 2])
    await hf.undoRestore({ confirm: true })
    expect(read(app)).toBe(fresh)
    await expect(hf.discardOld({})).rejects.toMatchObject({ code: 'refused.not-confirmed' })
    await hf.discardOld({ confirm: true })
    expect(filesOf(folder)).toEqual(['app.db', 'link.db'])
    expect((await hf.restore({ dryRun: true, strategy: 'in-place' })).plan).toMatchObject({
      strategy: 'in-place',
      kept: [],
    })
  })

  it('from SQL, over a damaged file, and where there is none', async () => {
    const { folder, app, fresh } = await backedUp('sqlite-dump')
    const hf = await holdfastIn(folder, { databases: { app: `sqlite:${app}` } })
    copyFileSync(process.execPath, app)
    const { kept = '' } = await hf.restore({ strategy: 'swap', confirm: true })
    expect([read(app), statSync(kept).size]).toEqual([fresh, statSync(process.execPath).size])
    await hf.undoRestore({ confirm: true })
    expect(statSync(app).size).toBe(statSync(process.execPath).size)
    const none = await hf.restore({
      strategy: 'swap',
      to: `sqlite:${join(folder, 'none.db')}`,
      create: true,
      confirm: true,
    })
    expect([none.kept, none.plan.keptAs, read(join(folder, 'none.db'))]).toEqual([
      undefined,
      undefined,
      fresh,
    ])
  })

  it('a backup that is damaged leaves the old file, and nothing beside it', async () => {
    const { folder, app, old } = await backedUp()
    const hf = await holdfastIn(folder, { databases: { app: `sqlite:${app}` } })
    const broken = join(folder, 'broken.db')
    const bytes = readFileSync(app)
    execute(app, 'PRAGMA wal_checkpoint(TRUNCATE)')
    copyFileSync(app, broken)
    writeFileSync(broken, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 7)]))
    await expect(hf.restore({ backup: broken, strategy: 'swap', confirm: true })).rejects.toMatchObject({
      exit: 7,
    })
    expect(read(app)).toBe(old)
    expect(filesOf(folder)).toEqual(['app.db', 'broken.db'])
  })

  it.each(['WAL', 'DELETE'])(
    'programs that have the file open are named and in the way of it (%s)',
    async (mode) => {
      const { folder, app, old } = await backedUp()
      execute(app, `PRAGMA journal_mode = ${mode}`)
      await openElsewhere(app)
      const hf = await holdfastIn(folder, { databases: { app: `sqlite:${app}` } })
      await expect(hf.restore({ strategy: 'swap', disconnect: true, confirm: true })).rejects.toMatchObject({
        code: 'database.busy',
        message: expect.stringMatching(/app\.db is in use: node \(process \d+\)$/u) as string,
      })
      expect(read(app)).toBe(old)
    },
  )

  it('refuses what cannot be swapped', async () => {
    const { folder, app } = await backedUp()
    const hf = await holdfastIn(folder, { databases: { app: `sqlite:${app}` } })
    await expect(hf.restore({ strategy: 'swap', clean: 'none', confirm: true })).rejects.toMatchObject({
      code: 'usage.invalid',
    })
    await expect(hf.restore({ strategy: 'swap', tables: ['orders'], confirm: true })).rejects.toMatchObject({
      code: 'usage.invalid',
    })
    const handle = new DatabaseSync(':memory:')
    const open = { engine: 'sqlite', name: 'app', connector: sqliteHandle(handle) }
    const inMemory = await holdfastIn(folder, { databases: { app: open } })
    await expect(inMemory.restore({ strategy: 'swap', confirm: true })).rejects.toMatchObject({
      code: 'usage.not-supported',
    })
  })
})

/** A shop that is backed up, and has lost something since. */
async function backedUp(connector = 'sqlite-backup') {
  const folder = await testFolder()
  const app = join(folder, 'app.db')
  // The driver keeps open what its statements have made: the shop itself is a copy, which nobody has open.
  makeShop(join(folder, 'made.db'), 30)
  execute(join(folder, 'made.db'), `VACUUM INTO '${app}'`)
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `made.db${suffix}`), { force: true })
  execute(app, 'PRAGMA journal_mode = WAL')
  const hf = await holdfastIn(folder, { databases: { app: { url: `sqlite:${app}`, connector } } })
  resultOf(await hf.backup())
  const fresh = read(app)
  execute(app, 'DELETE FROM sessions; PRAGMA wal_checkpoint(TRUNCATE)')
  return { folder, app, fresh, old: read(app) }
}

let reads = 0

/** By a copy: the driver keeps open what a statement has read, and a swap is not for files that are open. */
function read(path: string): string {
  const copy = join(path, '..', 'backups', `read-${reads++}.db`)
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix)
  return contentOf(copy)
}

function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name !== 'backups' && !/-(?:wal|shm)$/u.test(name))
    .sort()
}

async function openElsewhere(path: string): Promise<void> {
  const script = `
    const { DatabaseSync } = require('@photostructure/sqlite')
    globalThis.database = new DatabaseSync(process.argv[1])
    database.exec('SELECT count(*) FROM sqlite_schema')
    console.log('open')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  await once(child.stdout, 'data')
}
