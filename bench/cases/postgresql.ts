import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgresql } from '../../test/servers/postgresql.js'
import type { ServerAddress } from '../../test/servers/server.js'
import { makePostgresql, psql } from '../data/postgresql.js'
import { backupContestant, built, restoreCommand } from '../holdfast.js'
import { measure, quoted, race, type Contestant, type Measured } from '../measure.js'
import type { Group, Target } from '../report.js'
import { memoryTarget, timesTarget, type Bench, type Case } from './case.js'

const database = 'shop'
const restored = 'restored'
const reads = 'pg_dump -Fc -Z0 > /dev/null'
const parallel = { connector: 'pg-parallel' }

export const postgresql: Case = {
  name: 'postgresql',
  async run(bench) {
    const server = await startPostgresql([])
    if (server === undefined) throw new Error('PostgreSQL is not installed')
    try {
      const { address } = server
      bench.report(`PostgreSQL ${address.version}: making the database`)
      await makePostgresql(address, database, bench.bytes)
      const backups = await raceBackups(bench, address)
      const restores = await raceRestores(bench, address)
      return {
        name: 'postgresql',
        facts: { server: address.version, bytes: bench.bytes },
        groups: [backups, restores],
        targets: [...backupTargets(backups.results), ...restoreTargets(restores.results)],
      }
    } finally {
      await server.stop()
    }
  },
}

async function raceBackups(bench: Bench, server: ServerAddress): Promise<Group> {
  const env = { PGPASSWORD: server.password }
  const dump = `${tool(server, 'pg_dump')} -d ${database} -Fc`
  const file = (name: string) => join(bench.folder, name)
  const peers: readonly Contestant[] = [
    { name: 'pg_dump -Fc', command: `${dump} -f ${quoted(file('fc.dump'))}`, output: file('fc.dump'), env },
    ...[1, 3].map((level) => ({
      name: `pg_dump -Fc -Z0 | zstd -T2 -${level}`,
      command: `${dump} -Z0 | zstd -T2 -${level} -q -f -o ${quoted(file(`z${level}.zst`))}`,
      output: file(`z${level}.zst`),
      env,
    })),
  ]
  // Nothing that has pg_dump read the tables can be faster than this.
  const reading: Contestant = { name: reads, command: `${dump} -Z0 > /dev/null`, env }
  const directory: Contestant = {
    name: 'pg_dump -Fd -j2',
    command: `${tool(server, 'pg_dump')} -d ${database} -Fd -j2 -f ${quoted(file('fd'))}`,
    output: file('fd'),
    env,
    prepare: () => rm(file('fd'), { recursive: true, force: true }),
  }
  const url = urlOf(server, database)
  const ours = built
    ? [
        await backupContestant({ name: 'holdfast', url, folder: file('default') }),
        await backupContestant({ name: 'holdfast zstd:1', url, folder: file('level1'), compress: 'zstd:1' }),
        await backupContestant({
          name: 'holdfast pg-parallel',
          url,
          folder: file('parallel'),
          settings: parallel,
        }),
      ]
    : []
  await measure({ name: 'warming up', command: `${dump} -Z0 > /dev/null`, env })
  return {
    title: 'PostgreSQL, backup',
    results: await race([...peers, reading, directory, ...ours], bench.report),
  }
}

function backupTargets(results: ReadonlyMap<string, Measured>): readonly Target[] {
  const ours = results.get('holdfast')
  const level1 = results.get('holdfast zstd:1')
  const several = results.get('holdfast pg-parallel')
  const custom = results.get('pg_dump -Fc')
  const pipe1 = results.get('pg_dump -Fc -Z0 | zstd -T2 -1')
  const pipe3 = results.get('pg_dump -Fc -Z0 | zstd -T2 -3')
  if (!ours || !level1 || !several || !custom || !pipe1 || !pipe3) return []
  return [
    {
      claim: 'PostgreSQL backup, times as fast as pg_dump -Fc',
      value: custom.wallSeconds / ours.wallSeconds,
      limit: 4.5,
      unit: '×',
      bound: 'at least',
    },
    {
      claim: 'PostgreSQL backup, size against pg_dump -Fc',
      value: (ours.outputBytes ?? Infinity) / (custom.outputBytes ?? 1),
      limit: 1,
      unit: '×',
      bound: 'at most',
    },
    timesTarget('PostgreSQL backup, time against the shell pipe at level 3', ours, pipe3, 1.15),
    timesTarget('PostgreSQL backup, time against the shell pipe at level 1', level1, pipe1, 1.15),
    {
      claim: 'PostgreSQL backup by pg-parallel, times as fast as pg_dump -Fc',
      value: custom.wallSeconds / several.wallSeconds,
      limit: 4.5,
      unit: '×',
      bound: 'at least',
    },
    {
      claim: 'PostgreSQL backup by pg-parallel, size against pg_dump -Fc',
      value: (several.outputBytes ?? Infinity) / (custom.outputBytes ?? 1),
      limit: 1,
      unit: '×',
      bound: 'at most',
    },
    memoryTarget('PostgreSQL backup', ours),
    memoryTarget('PostgreSQL backup by pg-parallel', several),
    memoryTarget('PostgreSQL backup at level 1', level1),
  ]
}

async function raceRestores(bench: Bench, server: ServerAddress): Promise<Group> {
  const file = quoted(join(bench.folder, 'z3.zst'))
  const prepare = () =>
    psql(server, 'postgres', `drop database if exists ${restored};\ncreate database ${restored}`)
  const peer: Contestant = {
    name: 'zstd -dc | pg_restore',
    command: `zstd -dc ${file} | ${tool(server, 'pg_restore')} -d ${restored} --single-transaction --exit-on-error`,
    env: { PGPASSWORD: server.password },
    prepare,
  }
  const ours: readonly Contestant[] = built
    ? [
        {
          name: 'holdfast restore',
          command: restoreCommand(
            join(bench.folder, 'default', 'holdfast.config.json'),
            urlOf(server, restored),
          ),
          prepare,
        },
        {
          name: 'holdfast pg-parallel restore',
          command: restoreCommand(
            join(bench.folder, 'parallel', 'holdfast.config.json'),
            urlOf(server, restored),
          ),
          prepare,
        },
      ]
    : []
  const jobs: Contestant = {
    name: 'pg_restore -j2',
    command: `${tool(server, 'pg_restore')} -d ${restored} -j2 --exit-on-error ${quoted(join(bench.folder, 'fd'))}`,
    env: { PGPASSWORD: server.password },
    prepare,
  }
  return { title: 'PostgreSQL, restore', results: await race([peer, jobs, ...ours], bench.report) }
}

function restoreTargets(results: ReadonlyMap<string, Measured>): readonly Target[] {
  const ours = results.get('holdfast restore')
  const several = results.get('holdfast pg-parallel restore')
  const peer = results.get('zstd -dc | pg_restore')
  if (!ours || !peer) return []
  return [
    timesTarget('PostgreSQL restore, time against zstd -dc | pg_restore', ours, peer, 1.1),
    memoryTarget('PostgreSQL restore', ours),
    ...(several ? [memoryTarget('PostgreSQL restore by pg-parallel', several)] : []),
  ]
}

function tool({ binDirectory, host, port, user }: ServerAddress, name: string): string {
  return `${quoted(join(binDirectory, name))} -h ${host} -p ${port} -U ${user}`
}

function urlOf({ host, port, user, password }: ServerAddress, name: string): string {
  return `postgres://${user}:${password}@${host}:${port}/${name}`
}
