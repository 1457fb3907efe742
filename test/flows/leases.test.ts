import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Leases } from '../../src/catalog/leases.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { localDriver } from '../../src/storages/local/driver.js'
import { s3Driver } from '../../src/storages/s3/driver.js'
import type { Storage } from '../../src/storages/storage.js'
import { built, collect, documentOf, holdfast, start } from '../cli/command-line.js'
import { startMoto, type MotoServer } from '../servers/moto.js'
import { needsMoto } from '../servers/needs.js'
import { filesBelow, makeShop, testFolder } from './workbench.js'

const where = { name: 'main', baseDirectory: '/' }
const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const wish = { kind: 'prune', backups: [] } as const

/** Another process that holds a lease for prune. */
async function holder(settings: object, ttlMs: number): Promise<ChildProcess> {
  const jiti = fileURLToPath(new URL('../../node_modules/.bin/jiti', import.meta.url))
  const program = fileURLToPath(new URL('lease-holder.ts', import.meta.url))
  const args = [program, JSON.stringify(settings), String(ttlMs)]
  const child = spawn(jiti, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await once(child.stdout, 'data')
  return child
}

function twoProcesses(open: () => Promise<{ readonly settings: object; readonly storage: Storage }>) {
  it('a lease of another process is heeded while it lives, and until its time is over when it was killed', async () => {
    const { settings, storage } = await open()
    const other = await holder(settings, 3_000)
    const alone = (waitMs: number) => new Leases(storage, { waitMs }).holdAlone(cx, wish)
    await expect(alone(10)).rejects.toThrow(`process ${other.pid}`)
    other.kill('SIGKILL')
    await once(other, 'close')
    await expect(alone(10)).rejects.toMatchObject({ code: 'locked.by-another-run' })
    await (await alone(30_000)).release()
  })

  it('one that is given back is free at once', async () => {
    const { settings, storage } = await open()
    const other = await holder(settings, 600_000)
    other.stdin?.end()
    await (await new Leases(storage, { waitMs: 30_000 }).holdAlone(cx, wish)).release()
  })
}

describe('two processes on a folder', () => {
  twoProcesses(async () => {
    const settings = { path: await testFolder() }
    return { settings: { driver: 'local', ...settings }, storage: await localDriver.open(settings, where) }
  })
})

needsMoto().describe('two processes on S3', () => {
  let moto: MotoServer
  let buckets = 0
  beforeAll(async () => {
    moto = await startMoto()
  })
  afterAll(() => moto.stop())
  twoProcesses(async () => {
    const settings = { ...moto.settings, bucket: `leases-${buckets++}` }
    await moto.makeBucket(settings.bucket)
    return { settings: { driver: 's3', ...settings }, storage: await s3Driver.open(settings, where) }
  })
})

built.describe('prune and what runs beside it', () => {
  const hold = 'echo > reached; while [ ! -e go ]; do sleep 0.05; done'
  /** A shop with two backups, of which retention would remove the first; the command of a hook holds a run up until `go` is there. */
  async function shop(hook: string) {
    const cwd = await testFolder()
    makeShop(join(cwd, 'shop.sqlite3'), 5)
    const config = { databases: { shop: 'sqlite:./shop.sqlite3' }, retention: { last: 1 } }
    writeFileSync(join(cwd, 'holdfast.config.json'), JSON.stringify(config))
    const ids: string[] = []
    for (let run = 0; run < 2; run++) {
      const { outcomes } = documentOf(await holdfast(['backup', '--json'], { cwd }))
      ids.push((outcomes as readonly { readonly id: string }[])[0]?.id ?? '')
    }
    writeFileSync(join(cwd, 'holding.json'), JSON.stringify({ ...config, hooks: { [hook]: hold } }))
    return {
      cwd,
      ids,
      leases: () => filesBelow(join(cwd, 'backups')).filter((name) => name.includes('lease')),
    }
  }

  it('a backup that is being restored is not pruned under its hands', async () => {
    const { cwd, ids, leases } = await shop('beforeRestore')
    const restore = start(['restore', ids[0] ?? '', '--yes', '--config', 'holding.json'], { cwd })
    const told = collect(restore, 'stderr')
    await expect.poll(() => existsSync(join(cwd, 'reached')), { timeout: 20_000 }).toBe(true)
    const pruned = documentOf(await holdfast(['prune', '--json'], { cwd }))
    expect(pruned).toMatchObject({ removed: [], decisions: [{}, { reasons: ['another run is reading it'] }] })
    writeFileSync(join(cwd, 'go'), '')
    const [code] = (await once(restore, 'close')) as [number]
    expect([code, told()]).toEqual([0, expect.any(String)])
    expect(documentOf(await holdfast(['prune', '--json'], { cwd }))).toMatchObject({ removed: [ids[0]] })
    expect(leases()).toEqual([])
  })

  it('a restore waits for a prune that is removing, and says that its backup is gone', async () => {
    const { cwd, ids, leases } = await shop('beforePrune')
    const prune = start(['prune', '--config', 'holding.json'], { cwd })
    await expect.poll(() => existsSync(join(cwd, 'reached')), { timeout: 20_000 }).toBe(true)
    const restore = start(['restore', ids[0] ?? '', '--yes'], { cwd })
    const told = collect(restore, 'stderr')
    await expect.poll(told, { timeout: 20_000 }).toContain('waiting: another run removes old backups')
    // A backup is made all the same.
    expect((await holdfast(['backup'], { cwd })).code).toBe(0)
    writeFileSync(join(cwd, 'go'), '')
    await Promise.all([once(prune, 'close'), once(restore, 'close')])
    expect([prune.exitCode, restore.exitCode]).toEqual([0, 2])
    expect(told()).toContain(`prune has just removed ${ids[0] ?? ''} from main`)
    expect(leases()).toEqual([])
  })
})
