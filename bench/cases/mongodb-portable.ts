import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startMongodb } from '../../test/servers/mongodb.js'
import type { ServerAddress } from '../../test/servers/server.js'
import { makeMongodb } from '../data/mongodb.js'
import { built, holdfast } from '../holdfast.js'
import { quoted, race, type Contestant, type Measured } from '../measure.js'
import type { Group, Target } from '../report.js'
import { mebibyte, type Bench, type Case } from './case.js'

const [full, copy] = ['shop', 'copied']

/** FerretDB, which stands in for MongoDB where there is none, takes documents slowly: a tenth of the others' bytes. */
const share = 0.1

/** Portable dump and load of collections, beside mongodump and mongorestore, which do less: their archive is BSON as it comes. */
export const portableMongodb: Case = {
  name: 'portable-mongodb',
  async run(bench) {
    const server = await startMongodb()
    if (server === undefined) throw new Error('neither MongoDB nor FerretDB with the tools is installed')
    try {
      const { address } = server
      const bytes = bench.bytes * share
      bench.report(`MongoDB ${address.version}: making the database`)
      await makeMongodb(urlOf(address, full), bytes)
      const groups = await raceAll(bench, address)
      return {
        name: 'portable-mongodb',
        facts: { server: address.version, bytes },
        groups,
        targets: groups.flatMap(({ results }) => [...results].flatMap(memoryTarget)),
      }
    } finally {
      await server.stop()
    }
  },
}

async function raceAll(bench: Bench, address: ServerAddress): Promise<readonly Group[]> {
  const file = (name: string) => join(bench.folder, name)
  const databases = { [full]: urlOf(address, full), [copy]: urlOf(address, copy) }
  await writeFile(file('holdfast.config.json'), JSON.stringify({ databases }), { mode: 0o600 })
  await writeFile(file('tools.yaml'), `uri: ${JSON.stringify(urlOf(address, ''))}\n`, { mode: 0o600 })
  const tool = (name: string) =>
    `${quoted(join(address.binDirectory, name))} --config=${quoted(file('tools.yaml'))} --quiet`
  const ours = (name: string, ...args: readonly string[]): Contestant => ({
    name,
    command: `cd ${quoted(bench.folder)} && ${holdfast(...args, '--config', file('holdfast.config.json'))}`,
  })
  const dumps: readonly Contestant[] = [
    {
      name: 'mongodump',
      command: `${tool('mongodump')} --db=${full} --archive > ${quoted(file('archive'))}`,
      output: file('archive'),
    },
    ...(built
      ? [
          {
            ...ours('holdfast dump', 'dump', '--database', full, '-d', 'plain'),
            output: file('plain'),
            prepare: () => rm(file('plain'), { recursive: true, force: true }),
          },
        ]
      : []),
  ]
  const loads: readonly Contestant[] = [
    {
      name: 'mongorestore',
      command: `${tool('mongorestore')} --drop --archive --nsFrom='${full}.*' --nsTo='${copy}.*' < ${quoted(file('archive'))}`,
    },
    ...(built ? [ours('holdfast load', 'load', '--database', copy, '-d', 'plain', '--create', '--yes')] : []),
  ]
  return [
    { title: 'MongoDB, portable dump', results: await race(dumps, bench.report) },
    { title: 'MongoDB, portable load', results: await race(loads, bench.report) },
  ]
}

function memoryTarget([name, { peakBytes }]: readonly [string, Measured]): readonly Target[] {
  if (!name.startsWith('holdfast')) return []
  const value = peakBytes / mebibyte
  return [{ claim: `memory of ${name}, documents`, value, limit: 150, unit: 'MiB', bound: 'at most' }]
}

function urlOf({ host, port, user, password }: ServerAddress, name: string): string {
  return `mongodb://${user}:${password}@${host}:${port}/${name}?authSource=admin&directConnection=true`
}
