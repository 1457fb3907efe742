import { spawnSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgresql } from '../../test/servers/postgresql.js'
import type { ServerAddress } from '../../test/servers/server.js'
import { makeOrders, makeProject, python, table } from '../data/django.js'
import { psql } from '../data/postgresql.js'
import { built, holdfast } from '../holdfast.js'
import { measure, quoted, race, type Contestant, type Measured } from '../measure.js'
import type { Group, Target } from '../report.js'
import { mebibyte, timesTarget, type Bench, type Case } from './case.js'

const [full, few, empty] = ['orders', 'few', 'empty']
/** loaddata takes minutes for what the others load in seconds: it gets a tenth, and is reckoned by the row. */
const fewer = 10

/** Portable dump and load of one table of PostgreSQL, beside COPY and Django. `--size full` is half a million rows. */
export const portable: Case = {
  name: 'portable',
  async run(bench) {
    const server = await startPostgresql([])
    if (server === undefined) throw new Error('PostgreSQL is not installed')
    try {
      const { address } = server
      const rows = bench.bytes < 100e6 ? 20_000 : bench.bytes < 1e9 ? 100_000 : 500_000
      bench.report(`PostgreSQL ${address.version}: making ${rows} rows`)
      await makeOrders(address, full, rows)
      await makeOrders(address, few, rows / fewer)
      await makeOrders(address, empty, 0)
      const dumps = await raceDumps(bench, address)
      const loads = await raceLoads(bench, address)
      return {
        name: 'portable',
        facts: { server: address.version, rows },
        groups: [dumps, loads],
        targets: [...dumpTargets(dumps.results), ...loadTargets(loads.results)],
      }
    } finally {
      await server.stop()
    }
  },
}

async function raceDumps(bench: Bench, address: ServerAddress): Promise<Group> {
  const env = { PGPASSWORD: address.password }
  const file = (name: string) => join(bench.folder, name)
  const copy = `${client(address, full)} -c 'COPY (SELECT * FROM ${table} ORDER BY id) TO STDOUT'`
  const peer: Contestant = {
    name: 'COPY TO | zstd',
    command: `${copy} | zstd -q -3 -f -o ${quoted(file('copy.zst'))}`,
    output: file('copy.zst'),
    env,
  }
  const config = await configuration(bench.folder, address)
  const ours = [
    ['holdfast dump', 'plain', 'none'],
    ['holdfast dump, zstd', 'packed', 'zstd:3'],
  ].map(([name = '', folder = '', compress = '']): Contestant => ({
    name,
    command: `cd ${quoted(bench.folder)} && ${holdfast('dump', '--config', config, '--database', full, '-d', folder, '--compress', compress)}`,
    output: file(folder),
    prepare: () => rm(file(folder), { recursive: true, force: true }),
  }))
  await measure({ name: 'warming up', command: `${copy} > ${quoted(file('copy.txt'))}`, env })
  const results = new Map(await race([peer, ...(built ? ours : [])], bench.report))
  await withDjango(bench, async () => {
    const django = await makeProject(file('project'), address, { default: full })
    const dumpdata = {
      name: 'dumpdata',
      command: django('dumpdata', 'shop', '-o', file('fixture.json')),
      output: file('fixture.json'),
    }
    results.set('dumpdata', await once(dumpdata, bench))
  })
  return { title: 'Portable dump', results }
}

async function raceLoads(bench: Bench, address: ServerAddress): Promise<Group> {
  const file = (name: string) => join(bench.folder, name)
  const prepare = () => psql(address, empty, `truncate ${table}; vacuum ${table}`)
  const peer: Contestant = {
    name: 'COPY FROM',
    command: `${client(address, empty)} -c 'COPY ${table} FROM STDIN' < ${quoted(file('copy.txt'))}`,
    env: { PGPASSWORD: address.password },
    prepare,
  }
  const load = ['load', '--config', file('holdfast.config.json'), '--database', empty, '-d', 'plain', '--yes']
  const ours = [
    ['holdfast load', ...load],
    ['holdfast load --no-check', ...load, '--no-check'],
  ].map(([name = '', ...args]): Contestant => ({
    name,
    command: `cd ${quoted(bench.folder)} && ${holdfast(...args)}`,
    prepare,
  }))
  const results = new Map(await race([peer, ...(built ? ours : [])], bench.report))
  await withDjango(bench, async () => {
    const django = await makeProject(file('project'), address, { default: empty, few })
    const fixture = file('few.json')
    await measure({ name: 'a tenth', command: django('dumpdata', 'shop', '--database', few, '-o', fixture) })
    const loaddata = { name: 'loaddata of a tenth', command: django('loaddata', fixture), prepare }
    results.set('loaddata of a tenth', await once(loaddata, bench))
  })
  return { title: 'Portable load', results }
}

/** Minutes, where the others take seconds: once is enough to see how many times. */
async function once(contestant: Contestant, bench: Bench): Promise<Measured> {
  const measured = await measure(contestant)
  bench.report(`once     ${measured.wallSeconds.toFixed(2).padStart(7)} s  ${contestant.name}`)
  return measured
}

async function withDjango(bench: Bench, body: () => Promise<void>): Promise<void> {
  const there = spawnSync(python, ['-c', 'import django, psycopg2']).status === 0
  if (there) await body()
  else bench.report('skipped  Django: python3-django and python3-psycopg2 are not installed')
}

function dumpTargets(results: ReadonlyMap<string, Measured>): readonly Target[] {
  const [plain, packed, peer] = ['holdfast dump', 'holdfast dump, zstd', 'COPY TO | zstd'].map((name) =>
    results.get(name),
  )
  if (!plain || !packed || !peer) return []
  return [
    timesTarget('portable dump of PostgreSQL, time against COPY TO | zstd', packed, peer, 2.5),
    ...fasterThan('portable dump', plain, 'dumpdata', results, 1),
    smallTarget('portable dump', plain),
    smallTarget('portable dump with zstd', packed),
  ]
}

function loadTargets(results: ReadonlyMap<string, Measured>): readonly Target[] {
  const [ours, peer] = ['holdfast load', 'COPY FROM'].map((name) => results.get(name))
  if (!ours || !peer) return []
  return [
    timesTarget('portable load into PostgreSQL, time against COPY FROM', ours, peer, 2),
    ...fasterThan('portable load', ours, 'loaddata of a tenth', results, fewer),
    smallTarget('portable load', ours),
  ]
}

function fasterThan(
  what: string,
  ours: Measured,
  peer: string,
  results: ReadonlyMap<string, Measured>,
  part: number,
): readonly Target[] {
  const theirs = results.get(peer)
  if (theirs === undefined) return []
  const value = (theirs.wallSeconds * part) / ours.wallSeconds
  return [{ claim: `${what}, rows a second against ${peer}`, value, limit: 5, unit: '×', bound: 'at least' }]
}

function smallTarget(what: string, { peakBytes }: Measured): Target {
  return {
    claim: `memory of holdfast, ${what}`,
    value: peakBytes / mebibyte,
    limit: 150,
    unit: 'MiB',
    bound: 'at most',
  }
}

async function configuration(folder: string, { host, port, user, password }: ServerAddress): Promise<string> {
  const config = join(folder, 'holdfast.config.json')
  const url = (name: string) => `postgres://${user}:${password}@${host}:${port}/${name}`
  const databases = { [full]: url(full), [empty]: url(empty) }
  await writeFile(config, JSON.stringify({ databases }), { mode: 0o600 })
  return config
}

function client({ binDirectory, host, port, user }: ServerAddress, database: string): string {
  return `${quoted(join(binDirectory, 'psql'))} -X -q -h ${host} -p ${port} -U ${user} -d ${database}`
}
