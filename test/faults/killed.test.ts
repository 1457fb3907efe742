import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, utimesSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { leaseFolder } from '../../src/catalog/keys.js'
import { filesBelow, holdfastIn, resultOf, testFolder } from '../flows/workbench.js'
import { needsAll, needsBuild } from '../servers/needs.js'
import { dropDatabase, makeDatabase, postgresql, reach, standIn } from './postgres-bench.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const database = 'faults_killed'

/** The dump tool writes a part of the dump, says so, and waits. */
const slow = (marker: string) => `"$TOOL" "$@" | head -c 1500000; touch '${marker}'; sleep 60`

needsAll(postgresql, needsBuild()).describe('a backup that is ended from outside', () => {
  beforeAll(() => makeDatabase(database))
  afterAll(() => dropDatabase(database))

  it.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('FAILURES 6: %s leaves nothing behind and exits with %i', async (signal, status) => {
    const { child, backups } = await backupUnderWay()
    const temporary = temporaryFolders(child)
    expect(temporary.length).toBeGreaterThan(0)
    child.kill(signal)
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(status)
    expect(filesBelow(backups)).toEqual([])
    expect(temporaryFolders(child)).toEqual([])
    expect(toolsOf(child)).toEqual([])
  })

  it('FAILURES 7: SIGKILL leaves no half backup, and the next runs sweep the rest', async () => {
    const { child, folder, backups } = await backupUnderWay()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const now = await holdfastIn(folder, { databases: { shop: reach(database) } })
    expect((await now.list()).backups).toEqual([])
    expect(filesBelow(backups).length).toBeGreaterThan(0)
    resultOf(await now.backup())
    const env = await tomorrow()
    // The storage's clock tells whether a run is alive: a day later the killed one's lease is a day old.
    for (const lease of readdirSync(join(backups, leaseFolder)))
      utimesSync(join(backups, leaseFolder, lease), 0, 0)
    const later = await holdfastIn(folder, { databases: { shop: reach(database) } }, { env })
    await later.prune()
    expect(filesBelow(backups).length).toBe(2)
    expect((await later.verify({ all: true })).results).toMatchObject([{ ok: true }])
    expect(temporaryFolders(child)).toEqual([])
  })
})

async function backupUnderWay() {
  const folder = await testFolder()
  const marker = join(folder, 'under-way')
  const config = {
    databases: { shop: { ...reach(database), dumpCommand: standIn(folder, 'pg_dump', slow(marker)) } },
  }
  writeFileSync(join(folder, 'holdfast.config.json'), JSON.stringify(config))
  const child = spawn(process.execPath, [program, 'backup'], { cwd: folder, stdio: 'ignore' })
  await appeared(folder, 'under-way')
  return { folder, child, backups: join(folder, 'backups') }
}

async function appeared(folder: string, name: string): Promise<void> {
  const watcher = watch(folder)
  try {
    const signal = AbortSignal.timeout(20_000)
    while (!existsSync(join(folder, name))) await once(watcher, 'change', { signal })
  } finally {
    watcher.close()
  }
}

function temporaryFolders({ pid }: ChildProcess): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`holdfast-${pid}-`))
}

/** Dump tools whose parent was the process; only Linux shows them. */
function toolsOf({ pid }: ChildProcess): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').filter((entry) => existsSync(`/proc/${entry}/task/${pid}`))
}

async function tomorrow() {
  const { nodeEnv } = await import('../../src/env/node-env.js')
  return { ...nodeEnv(), clock: { now: () => new Date(Date.now() + 25 * 60 * 60 * 1000) } }
}
