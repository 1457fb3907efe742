import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { startMariadb } from '../../test/servers/mariadb.js'
import type { ServerAddress } from '../../test/servers/server.js'
import { makeMariadb } from '../data/mariadb.js'
import { backupContestant, built, restoreCommand } from '../holdfast.js'
import { measure, quoted, race, type Contestant } from '../measure.js'
import type { Group, Target } from '../report.js'
import { memoryTarget, timesTarget, type Bench, type Case } from './case.js'

const database = 'shop'
const restored = 'restored'
const parallel = { connector: 'mysql-parallel' }
/** What holdfast passes, so that both do the same work. */
const dumpOptions =
  '--single-transaction --quick --routines --triggers --events --hex-blob --default-character-set=utf8mb4 --no-tablespaces --max-allowed-packet=1073741824'

export const mariadb: Case = {
  name: 'mariadb',
  async run(bench) {
    // A pool that holds the database: what is measured is the work, not the reading of the disk.
    const server = await startMariadb([`--innodb-buffer-pool-size=${2 * bench.bytes}`])
    if (server === undefined) throw new Error('MariaDB is not installed')
    try {
      const { address } = server
      bench.report(`MariaDB ${address.version}: making the database`)
      await makeMariadb(address, database, bench.bytes)
      // The client's passwords come from a file, as they should.
      const optionFile = join(bench.folder, 'client.cnf')
      const { host, port, user, password } = address
      await writeFile(
        optionFile,
        `[client]\nhost=${host}\nport=${port}\nuser=${user}\npassword=${password}\nprotocol=tcp\n`,
        { mode: 0o600 },
      )
      const backups = await raceBackups(bench, address, optionFile)
      const restores = await raceRestores(bench, address, optionFile)
      return {
        name: 'mariadb',
        facts: { server: address.version, bytes: bench.bytes },
        groups: [backups, restores],
        targets: [...backupTargets(backups), ...restoreTargets(restores)],
      }
    } finally {
      await server.stop()
    }
  },
}

const dumpTo = (level: number) => `mariadb-dump | zstd -T2 -${level}`

async function raceBackups(bench: Bench, server: ServerAddress, optionFile: string): Promise<Group> {
  const dump = `mariadb-dump --defaults-extra-file=${quoted(optionFile)} ${dumpOptions} ${database}`
  const file = (name: string) => join(bench.folder, name)
  const peers: readonly Contestant[] = [1, 3].map((level) => ({
    name: dumpTo(level),
    command: `${dump} | zstd -T2 -${level} -q -f -o ${quoted(file(`z${level}.zst`))}`,
    output: file(`z${level}.zst`),
  }))
  const url = urlOf(server, database)
  const ours = built
    ? [
        await backupContestant({ name: 'holdfast', url, folder: file('default') }),
        await backupContestant({ name: 'holdfast zstd:1', url, folder: file('level1'), compress: 'zstd:1' }),
        await backupContestant({
          name: 'holdfast mysql-parallel',
          url,
          folder: file('parallel'),
          settings: parallel,
        }),
      ]
    : []
  await measure({ name: 'warming up', command: `${dump} > /dev/null` })
  return { title: 'MariaDB, backup', results: await race([...peers, ...ours], bench.report) }
}

function backupTargets({ results }: Group): readonly Target[] {
  const ours = results.get('holdfast')
  const level1 = results.get('holdfast zstd:1')
  const several = results.get('holdfast mysql-parallel')
  const pipe1 = results.get(dumpTo(1))
  const pipe3 = results.get(dumpTo(3))
  if (!ours || !level1 || !several || !pipe1 || !pipe3) return []
  return [
    timesTarget('MariaDB backup, time against the shell pipe at level 3', ours, pipe3, 1.15),
    timesTarget('MariaDB backup, time against the shell pipe at level 1', level1, pipe1, 1.15),
    timesTarget(
      'MariaDB backup by mysql-parallel, time against the shell pipe at level 3',
      several,
      pipe3,
      1.15,
    ),
    memoryTarget('MariaDB backup', ours),
    memoryTarget('MariaDB backup by mysql-parallel', several),
  ]
}

async function raceRestores(bench: Bench, server: ServerAddress, optionFile: string): Promise<Group> {
  const prepare = () => emptyDatabase(server, restored)
  const peer: Contestant = {
    name: 'zstd -dc | mariadb',
    command: `zstd -dc ${quoted(join(bench.folder, 'z3.zst'))} | mariadb --defaults-extra-file=${quoted(optionFile)} ${restored}`,
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
          name: 'holdfast mysql-parallel restore',
          command: restoreCommand(
            join(bench.folder, 'parallel', 'holdfast.config.json'),
            urlOf(server, restored),
          ),
          prepare,
        },
      ]
    : []
  return { title: 'MariaDB, restore', results: await race([peer, ...ours], bench.report) }
}

function restoreTargets({ results }: Group): readonly Target[] {
  const ours = results.get('holdfast restore')
  const several = results.get('holdfast mysql-parallel restore')
  const peer = results.get('zstd -dc | mariadb')
  if (!ours || !several || !peer) return []
  return [
    timesTarget('MariaDB restore, time against zstd -dc | mariadb', ours, peer, 1.1),
    timesTarget('MariaDB restore by mysql-parallel, time against zstd -dc | mariadb', several, peer, 1.1),
    memoryTarget('MariaDB restore', ours),
    memoryTarget('MariaDB restore by mysql-parallel', several),
  ]
}

async function emptyDatabase({ host, port, user, password }: ServerAddress, name: string): Promise<void> {
  const connection = await createConnection({ host, port, user, password })
  try {
    await connection.query(`drop database if exists ${name}`)
    await connection.query(`create database ${name} character set utf8mb4`)
  } finally {
    await connection.end()
  }
}

function urlOf({ host, port, user, password }: ServerAddress, name: string): string {
  return `mariadb://${user}:${password}@${host}:${port}/${name}`
}
