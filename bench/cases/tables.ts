import { join } from 'node:path'
import { startPostgresql } from '../../test/servers/postgresql.js'
import { psql } from '../data/postgresql.js'
import { backupContestant, built } from '../holdfast.js'
import { measure, quoted, race, type Contestant } from '../measure.js'
import type { Group, Target } from '../report.js'
import { memoryTarget, timesTarget, type Bench, type Case } from './case.js'

const database = 'wide'
/** With `--size full` as many as FAILURES speaks of. */
const few = 1_000
const many = 5_000

/** Many small tables: what is done once a table counts, and no bytes do. */
export const tables: Case = {
  name: 'tables',
  async run(bench) {
    // A dump locks every table at once.
    const server = await startPostgresql(['max_locks_per_transaction=512'])
    if (server === undefined) throw new Error('PostgreSQL is not installed')
    try {
      const { address } = server
      const count = bench.bytes < 1e9 ? few : many
      bench.report(`PostgreSQL ${address.version}: making ${count} tables`)
      await psql(address, 'postgres', `create database ${database}`)
      await psql(address, database, Array.from({ length: count }, (_, index) => table(index)).join(';\n'))
      const { host, port, user, password, binDirectory } = address
      const env = { PGPASSWORD: password }
      const file = join(bench.folder, 'fc.dump')
      const dump = `${quoted(join(binDirectory, 'pg_dump'))} -h ${host} -p ${port} -U ${user} -d ${database} -Fc`
      const peer: Contestant = {
        name: 'pg_dump -Fc',
        command: `${dump} -f ${quoted(file)}`,
        output: file,
        env,
      }
      const url = `postgres://${user}:${password}@${host}:${port}/${database}`
      const backups = await raceBackups(bench, peer, url)
      return {
        name: 'tables',
        facts: { server: address.version, tables: count },
        groups: [backups],
        targets: targetsOf(backups, count),
      }
    } finally {
      await server.stop()
    }
  },
}

function table(index: number): string {
  const name = `t${index}`
  return `create table ${name} (id int primary key, at timestamptz not null default now(), note text);
    create index on ${name} (at); insert into ${name} (id, note) values (1, 'one'), (2, 'two')`
}

async function raceBackups(bench: Bench, peer: Contestant, url: string): Promise<Group> {
  const folder = join(bench.folder, 'ours')
  const ours = built ? [await backupContestant({ name: 'holdfast', url, folder })] : []
  await measure({ ...peer, name: 'warming up' })
  return { title: 'PostgreSQL, many tables', results: await race([peer, ...ours], bench.report) }
}

function targetsOf({ results }: Group, count: number): readonly Target[] {
  const [ours, peer] = [results.get('holdfast'), results.get('pg_dump -Fc')]
  if (!ours || !peer) return []
  return [
    timesTarget(`${count} tables, time against pg_dump -Fc`, ours, peer, 1.2),
    memoryTarget(`${count} tables`, ours),
  ]
}
