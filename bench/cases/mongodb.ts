import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { startMongodb } from '../../test/servers/mongodb.js'
import type { ServerAddress } from '../../test/servers/server.js'
import { makeMongodb } from '../data/mongodb.js'
import { backupContestant, built, restoreCommand } from '../holdfast.js'
import { measure, quoted, race, type Contestant } from '../measure.js'
import type { Group, Target } from '../report.js'
import { memoryTarget, timesTarget, type Bench, type Case } from './case.js'

const database = 'shop'
const restored = 'restored'
const connectors = ['mongodump', 'mongodb-driver'] as const
const dumpPipe = 'mongodump | zstd -T2 -3'
const restorePipe = 'zstd -dc | mongorestore'

/** The server that stands in for MongoDB where there is none takes documents slowly: a tenth of the others' bytes. */
const share = 0.1

export const mongodb: Case = {
  name: 'mongodb',
  async run(bench) {
    const server = await startMongodb()
    if (server === undefined) throw new Error('neither MongoDB nor FerretDB with the tools is installed')
    try {
      const { address } = server
      const bytes = bench.bytes * share
      bench.report(`MongoDB ${address.version}: making the database`)
      await makeMongodb(urlOf(address, database), bytes)
      const configFile = join(bench.folder, 'tools.yaml')
      const uri = urlOf(address, '')
      await writeFile(configFile, `uri: ${JSON.stringify(uri)}\n`, { mode: 0o600 })
      const backups = await raceBackups(bench, address, configFile)
      const restores = await raceRestores(bench, address, configFile)
      return {
        name: 'mongodb',
        facts: { server: address.version, bytes },
        groups: [backups, restores],
        targets: [...backupTargets(backups), ...restoreTargets(restores)],
      }
    } finally {
      await server.stop()
    }
  },
}

async function raceBackups(bench: Bench, server: ServerAddress, configFile: string): Promise<Group> {
  const output = join(bench.folder, 'z3.zst')
  const dump = `${tool(server, 'mongodump')} --config=${quoted(configFile)} --db=${database} --archive --quiet`
  const peer = { name: dumpPipe, command: `${dump} | zstd -T2 -3 -q -f -o ${quoted(output)}`, output }
  const ours: Contestant[] = []
  for (const connector of built ? connectors : []) {
    const settings =
      connector === 'mongodump'
        ? {
            connector,
            dumpCommand: [join(server.binDirectory, 'mongodump')],
            restoreCommand: [join(server.binDirectory, 'mongorestore')],
          }
        : { connector }
    const folder = join(bench.folder, connector)
    const url = urlOf(server, database)
    ours.push(await backupContestant({ name: `holdfast ${connector}`, url, folder, settings }))
  }
  await measure({ name: 'warming up', command: `${dump} > /dev/null` })
  return { title: 'MongoDB, backup', results: await race([peer, ...ours], bench.report) }
}

function backupTargets({ results }: Group): readonly Target[] {
  const [pipe, driver] = [results.get(dumpPipe), results.get('holdfast mongodb-driver')]
  const tools = results.get('holdfast mongodump')
  if (!pipe || !driver || !tools) return []
  return [
    timesTarget('MongoDB backup by mongodump, time against the shell pipe', tools, pipe, 1.15),
    timesTarget('MongoDB backup by the driver, time against mongodump', driver, tools, 1.15),
    memoryTarget('MongoDB backup by mongodump', tools),
    memoryTarget('MongoDB backup by the driver', driver),
  ]
}

async function raceRestores(bench: Bench, server: ServerAddress, configFile: string): Promise<Group> {
  const prepare = () => forget(server)
  const peer: Contestant = {
    name: restorePipe,
    command: `zstd -dc ${quoted(join(bench.folder, 'z3.zst'))} | ${tool(server, 'mongorestore')} --config=${quoted(configFile)} --archive --nsFrom='${database}.*' --nsTo='${restored}.*' --quiet`,
    prepare,
  }
  const ours = (built ? connectors : []).map((connector) => ({
    name: `holdfast ${connector}`,
    command: restoreCommand(join(bench.folder, connector, 'holdfast.config.json'), restored),
    prepare,
  }))
  return { title: 'MongoDB, restore', results: await race([peer, ...ours], bench.report) }
}

function restoreTargets({ results }: Group): readonly Target[] {
  const [pipe, driver] = [results.get(restorePipe), results.get('holdfast mongodb-driver')]
  const tools = results.get('holdfast mongodump')
  if (!pipe || !driver || !tools) return []
  return [
    timesTarget('MongoDB restore by mongorestore, time against the shell pipe', tools, pipe, 1.15),
    timesTarget('MongoDB restore by the driver, time against mongorestore', driver, tools, 1.15),
    memoryTarget('MongoDB restore by mongorestore', tools),
    memoryTarget('MongoDB restore by the driver', driver),
  ]
}

/** Drops what the last round restored. */
async function forget(server: ServerAddress): Promise<void> {
  const client = new MongoClient(urlOf(server, restored))
  try {
    await client.db().dropDatabase()
  } finally {
    await client.close()
  }
}

function tool({ binDirectory }: ServerAddress, name: string): string {
  return quoted(join(binDirectory, name))
}

function urlOf({ host, port, user, password }: ServerAddress, name: string): string {
  return `mongodb://${user}:${password}@${host}:${port}/${name}?authSource=admin&directConnection=true`
}
