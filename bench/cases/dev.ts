import { chownSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { startDevServer as StartDevServer } from '../../src/testing/dev-server.js'
import { startPostgresql } from '../../test/servers/postgresql.js'
import { freePort, ordinaryAccount, runOnce, type Account } from '../../test/servers/server.js'
import { postgresqlBinDirectory } from '../../test/servers/tools.js'
import { fillPostgresql, psql } from '../data/postgresql.js'
import { built, holdfast } from '../holdfast.js'
import { measure, medians, quoted, race, type Contestant, type Measured } from '../measure.js'
import type { Group, Target } from '../report.js'
import { timesTarget, type Bench, type Case } from './case.js'

const starts = 7
const fromNothing = 3
const inProcess = 'startDevServer()'
const restoredBytes = 100e6
const restored = 'restored'
const byHand = 'initdb, pg_ctl start, psql'
/** What `dev restore` does beside restoring: the server is a new one. */
const anewByHand = 'initdb, pg_ctl start, zstd -dc | pg_restore'

/** How long a developer waits for a PostgreSQL of a project's own, and for what is in it. */
export const devServers: Case = {
  name: 'dev',
  async run(bench) {
    const bin = postgresqlBinDirectory()
    if (bin === undefined) throw new Error('PostgreSQL is not installed')
    const workbench = await Workbench.make(bench, bin)
    try {
      const fresh = await raceStarts(bench, workbench)
      if (!built) return { name: 'dev', facts: {}, groups: [fresh], targets: [] }
      const copied = await repeatedStarts(bench, workbench)
      const restores = await raceRestores(bench, workbench)
      return {
        name: 'dev',
        facts: { starts, restoredBytes },
        groups: [fresh, copied, restores],
        targets: targets(fresh.results, copied.results, restores.results),
      }
    } finally {
      await workbench.end()
    }
  },
}

/** Folders that the account of the servers can reach, and caches that nothing else uses. */
class Workbench {
  readonly bin: string
  readonly account: Account | undefined
  readonly folder: string

  private constructor(bin: string, account: Account | undefined, folder: string) {
    this.bin = bin
    this.account = account
    this.folder = folder
  }

  static async make(bench: Bench, bin: string): Promise<Workbench> {
    const folder = await mkdtemp(join(tmpdir(), 'hfb-'))
    process.once('exit', () => void rm(folder, { recursive: true, force: true }))
    await chmod(folder, 0o711)
    await chmod(bench.folder, 0o711)
    return new Workbench(bin, ordinaryAccount('postgres'), folder)
  }

  async end(): Promise<void> {
    await this.stop(this.path('hand'))
    for (const name of ['nothing', 'template', 'restore'])
      await measure({ name: 'destroy', ...this.dev(name, 'destroy', '--backups', '--yes') }).catch(
        () => undefined,
      )
    await rm(this.folder, { recursive: true, force: true })
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** A new folder of the servers' account. */
  async emptied(name: string): Promise<string> {
    const path = this.path(name)
    await rm(path, { recursive: true, force: true })
    await mkdir(path)
    if (this.account !== undefined) chownSync(path, this.account.uid, this.account.gid)
    return path
  }

  /** A command of the project that a folder is. */
  dev(project: string, ...args: readonly string[]): Pick<Contestant, 'command' | 'env'> {
    const command = `cd ${quoted(this.path(project))} && ${holdfast('dev', ...args, '--engine', 'postgresql')} 3>&-`
    return { command, env: { XDG_CACHE_HOME: this.path(`${project}-cache`) } }
  }

  /** As the servers' account. */
  ordinary(program: string, ...args: readonly string[]): string {
    const as = this.account
    const prefix =
      as === undefined ? [] : ['setpriv', `--reuid=${as.uid}`, `--regid=${as.gid}`, '--clear-groups']
    return [...prefix, join(this.bin, program), ...args].map(quoted).join(' ')
  }

  async stop(folder: string): Promise<void> {
    const args = ['-D', join(folder, 'data'), '-m', 'immediate', 'stop']
    await runOnce(join(this.bin, 'pg_ctl'), args, { folder, account: this.account }).catch(() => undefined)
  }
}

async function raceStarts(bench: Bench, workbench: Workbench): Promise<Group> {
  const ours: readonly Contestant[] = built
    ? [
        {
          name: 'holdfast dev start',
          ...workbench.dev('nothing', 'start'),
          prepare: async () => {
            if ((await readdir(workbench.folder)).includes('nothing'))
              await measure({ name: 'destroy', ...workbench.dev('nothing', 'destroy', '--yes') })
            await workbench.emptied('nothing')
            await workbench.emptied('nothing-cache')
          },
        },
      ]
    : []
  const peers = [
    hand(workbench, byHand, await freePort()),
    hand(workbench, `${byHand}, --no-sync`, await freePort()),
  ]
  const results = new Map(await race([...peers, ...ours], bench.report))
  if (built) {
    // The second start that finds no template makes one: each has a cache of its own.
    const calls: Measured[] = []
    for (let index = 0; index < fromNothing; index += 1)
      calls.push(await startInProcess(await workbench.emptied('nothing-cache')))
    results.set(inProcess, medians(calls))
    bench.report(`${inProcess}: ${medians(calls).wallSeconds.toFixed(3)} s`)
  }
  return { title: 'PostgreSQL, from nothing to a query', results }
}

function hand(workbench: Workbench, name: string, port: number): Contestant {
  const { command, ...made } = madeByHand(
    workbench,
    'hand',
    port,
    name.endsWith('--no-sync') ? ['--no-sync'] : [],
  )
  return { name, command: `${command} && ${client(workbench, 'psql', port)} -c 'select 1'`, ...made }
}

/** A server from nothing, as manuals have it. */
function madeByHand(workbench: Workbench, name: string, port: number, options: readonly string[]) {
  const folder = workbench.path(name)
  const [data, password] = [join(folder, 'data'), join(folder, 'password')]
  const init = ['-D', data, '-U', 'dev', '--pwfile', password, ...options]
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`
  const locale = ['-A', 'scram-sha-256', '--no-locale', '-E', 'UTF8']
  return {
    command: [
      `cd ${quoted(folder)}`,
      `${workbench.ordinary('initdb', ...init, ...locale)} > initdb.log`,
      `${workbench.ordinary('pg_ctl', '-D', data, '-l', join(folder, 'log'), '-o', settings, '-w', 'start')} > pg_ctl.log 3>&-`,
    ].join(' && '),
    env: { PGPASSWORD: 'dev' },
    prepare: async () => {
      await workbench.stop(folder)
      await workbench.emptied(name)
      await writeFile(password, 'dev')
      if (workbench.account !== undefined) chownSync(password, workbench.account.uid, workbench.account.gid)
    },
  }
}

function client({ bin }: Workbench, program: string, port: number): string {
  return `${quoted(join(bin, program))} -h 127.0.0.1 -p ${port} -U dev -d postgres`
}

/** With the template that the second start has kept: by the command line, and from a program that runs already. */
async function repeatedStarts(bench: Bench, workbench: Workbench): Promise<Group> {
  await workbench.emptied('template')
  await workbench.emptied('template-cache')
  const start = workbench.dev('template', 'start')
  const destroy = workbench.dev('template', 'destroy', '--yes')
  const commands: Measured[] = []
  for (let index = -2; index < starts; index += 1) {
    const one = await measure({ name: 'start', ...start })
    await measure({ name: 'destroy', ...destroy })
    if (index >= 0) commands.push(one)
  }
  const calls: Measured[] = []
  for (let index = -1; index < starts; index += 1) {
    const one = await startInProcess(workbench.path('template-cache'))
    if (index >= 0) calls.push(one)
  }
  const results = new Map([
    ['holdfast dev start', medians(commands)],
    [inProcess, medians(calls)],
  ])
  for (const [name, { wallSeconds, bestSeconds }] of results)
    bench.report(`${name}: ${wallSeconds.toFixed(3)} s, best ${bestSeconds.toFixed(3)} s`)
  return { title: 'PostgreSQL, from a template to a query', results }
}

/** By the library, in a process that runs already. @param cache where templates are kept */
async function startInProcess(cache: string): Promise<Measured> {
  const testing = new URL('../../dist/testing/index.js', import.meta.url).href
  const { startDevServer } = (await import(testing)) as { startDevServer: typeof StartDevServer }
  process.env['XDG_CACHE_HOME'] = cache
  try {
    const [begun, cpu] = [performance.now(), process.cpuUsage()]
    const server = await startDevServer('postgresql', { user: 'dev' })
    const { user, system } = process.cpuUsage(cpu)
    const wallSeconds = (performance.now() - begun) / 1000
    await server.stop()
    return {
      wallSeconds,
      bestSeconds: wallSeconds,
      cpuSeconds: (user + system) / 1e6,
      peakBytes: process.memoryUsage.rss(),
    }
  } finally {
    delete process.env['XDG_CACHE_HOME']
  }
}

async function raceRestores(bench: Bench, workbench: Workbench): Promise<Group> {
  await workbench.emptied('restore')
  const port = await freePort()
  const peer = await startPostgresql([])
  if (peer === undefined) throw new Error('PostgreSQL is not installed')
  try {
    await writeFile(
      join(workbench.path('restore'), 'holdfast.config.json'),
      JSON.stringify({ databases: {}, devServers: { postgresql: { port, password: 'dev' } } }),
    )
    await measure({ name: 'start', ...workbench.dev('restore', 'start') })
    const own = { host: '127.0.0.1', port, user: 'dev', password: 'dev', binDirectory: workbench.bin }
    bench.report(`making ${restoredBytes / 1e6} MB`)
    await fillPostgresql(own, 'dev', restoredBytes)
    await measure({ name: 'backup', ...workbench.dev('restore', 'backup', 'full') })
    const backups = join(workbench.path('restore'), '.holdfast/dev/postgresql/main/backups')
    const files = await readdir(backups, { recursive: true })
    const artifact = join(backups, files.find((name) => name.endsWith('.zst')) ?? '')
    const { address } = peer
    const restoreOptions = '--no-owner --single-transaction --exit-on-error'
    const anew = await freePort()
    const { command: made, ...others } = madeByHand(workbench, 'anew', anew, [])
    const contestants: readonly Contestant[] = [
      {
        name: 'zstd -dc | pg_restore',
        command: `zstd -dc ${quoted(artifact)} | ${quoted(join(workbench.bin, 'pg_restore'))} -h ${address.host} -p ${address.port} -U ${address.user} -d ${restored} ${restoreOptions}`,
        env: { PGPASSWORD: address.password },
        prepare: () =>
          psql(address, 'postgres', `drop database if exists ${restored};\ncreate database ${restored}`),
      },
      {
        name: anewByHand,
        command: `${made} && zstd -dc ${quoted(artifact)} | ${client(workbench, 'pg_restore', anew)} ${restoreOptions}`,
        ...others,
      },
      { name: 'holdfast dev restore', ...workbench.dev('restore', 'restore', 'full', '--yes') },
    ]
    return { title: 'PostgreSQL, dev restore of 100 MB', results: await race(contestants, bench.report) }
  } finally {
    await peer.stop()
    await workbench.stop(workbench.path('anew'))
  }
}

function targets(
  fresh: ReadonlyMap<string, Measured>,
  copied: ReadonlyMap<string, Measured>,
  restores: ReadonlyMap<string, Measured>,
): readonly Target[] {
  const [ours, called, peer] = ['holdfast dev start', inProcess, byHand].map((name) => fresh.get(name))
  const [restore, tool, anew] = ['holdfast dev restore', 'zstd -dc | pg_restore', anewByHand].map((name) =>
    restores.get(name),
  )
  if (!ours || !called || !peer || !restore || !tool || !anew) return []
  return [
    timesTarget('PostgreSQL from nothing, time against initdb, pg_ctl start and psql', ours, peer, 1.2),
    timesTarget('PostgreSQL from nothing by startDevServer(), time against the same', called, peer, 1.2),
    ...[...copied].map(([name, { wallSeconds }]) => ({
      claim: `PostgreSQL from a template, ${name}`,
      value: wallSeconds * 1000,
      limit: 300,
      unit: 'ms',
      bound: 'at most' as const,
    })),
    timesTarget('dev restore of 100 MB, time against zstd -dc | pg_restore', restore, tool, 1.2),
    timesTarget(
      'dev restore of 100 MB, time against the same into a server from nothing',
      restore,
      anew,
      1.2,
    ),
  ]
}
