import { join } from 'node:path'
import { startMariadb } from '../../test/servers/mariadb.js'
import { startMongodb } from '../../test/servers/mongodb.js'
import { startPostgresql } from '../../test/servers/postgresql.js'
import type { ServerAddress, StartedServer } from '../../test/servers/server.js'
import { makeMariadb } from '../data/mariadb.js'
import { makeMongodb } from '../data/mongodb.js'
import { makePostgresql } from '../data/postgresql.js'
import { makeSqlite } from '../data/sqlite.js'
import { backupContestant, built } from '../holdfast.js'
import { measure, race } from '../measure.js'
import { timesTarget, type Bench, type Case } from './case.js'

const database = 'shop'
const levels = ['none', 'counts', 'content'] as const

/** The same backup with each level of `fingerprint`: `bench/run.mjs fingerprint-sqlite`. */
export const fingerprints: readonly Case[] = [
  onServer(
    'PostgreSQL',
    () => startPostgresql([]),
    async (bench, address) => {
      await makePostgresql(address, database, bench.bytes)
      return urlOf('postgres', address)
    },
  ),
  onServer(
    'MariaDB',
    () => startMariadb([]),
    async (bench, address) => {
      await makeMariadb(address, database, bench.bytes)
      return urlOf('mariadb', address)
    },
  ),
  onServer(
    'MongoDB',
    startMongodb,
    async (bench, address) => {
      const url = `${urlOf('mongodb', address)}?authSource=admin&directConnection=true`
      await makeMongodb(url, bench.bytes / 10)
      return url
    },
    'mongodb-driver',
  ),
  {
    name: 'fingerprint-sqlite',
    async run(bench) {
      const source = join(bench.folder, 'shop.sqlite3')
      bench.report('SQLite: making the database')
      makeSqlite(source, bench.bytes)
      return raceLevels(bench, 'SQLite', `sqlite:${source}`)
    },
  },
]

function onServer(
  title: string,
  start: () => Promise<StartedServer | undefined>,
  make: (bench: Bench, address: ServerAddress) => Promise<string>,
  connector?: string,
): Case {
  return {
    name: `fingerprint-${title.toLowerCase()}`,
    async run(bench) {
      const server = await start()
      if (server === undefined) throw new Error(`${title} is not installed`)
      try {
        bench.report(`${title} ${server.address.version}: making the database`)
        return await raceLevels(bench, title, await make(bench, server.address), connector)
      } finally {
        await server.stop()
      }
    },
  }
}

async function raceLevels(bench: Bench, title: string, url: string, connector?: string) {
  if (!built) throw new Error('there is no build in dist')
  const contestants = await Promise.all(
    levels.map((fingerprint) =>
      backupContestant({
        name: fingerprint,
        url,
        folder: join(bench.folder, fingerprint),
        settings: { fingerprint, ...(connector === undefined ? {} : { connector }) },
      }),
    ),
  )
  for (const first of contestants.slice(0, 1)) await measure(first)
  const results = await race(contestants, bench.report)
  const [none, counts, content] = levels.map((level) => results.get(level))
  if (!none || !counts || !content) throw new Error('nothing was measured')
  return {
    name: `fingerprint-${title.toLowerCase()}`,
    facts: { bytes: bench.bytes },
    groups: [{ title: `${title}, backup by fingerprint`, results }],
    targets: [
      timesTarget(`${title} backup with counts, time against none`, counts, none, 1.3),
      timesTarget(`${title} backup with content, time against none`, content, none, 1.3),
    ],
  }
}

function urlOf(scheme: string, { host, port, user, password }: ServerAddress): string {
  return `${scheme}://${user}:${password}@${host}:${port}/${database}`
}
