import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasTool } from '../../test/servers/tools.js'
import { makeLargeFile } from '../data/trees.js'
import { startS3, type S3Server } from '../data/s3-server.js'
import { built, holdfast } from '../holdfast.js'
import { quoted, race, type Contestant, type Measured } from '../measure.js'
import type { Target } from '../report.js'
import { timesTarget, type Case } from './case.js'

const transferProgram = fileURLToPath(new URL('../data/s3-transfer.mjs', import.meta.url))
const theirs = 'aws s3 cp'
const ours = 'the storage s3'
const archived = 'holdfast files backup, zstd'

/** One large object to a server on this machine and back: the storage beside the service's own client. */
export const s3: Case = {
  name: 's3',
  async run({ bytes, folder, report }) {
    if (!hasTool('aws')) return { name: 's3', facts: {}, groups: [], targets: [] }
    const large = join(folder, 'large')
    const file = join(large, 'video.bin')
    const copy = join(folder, 'copy')
    report(`s3: making a file of ${bytes} bytes`)
    makeLargeFile(large, bytes)
    const server = await startS3()
    try {
      const env = environment(server)
      const { bucket } = server.settings
      const aws = (from: string, to: string): Contestant => ({
        name: theirs,
        command: `aws s3 cp --quiet --endpoint-url ${server.settings['endpoint']} ${quoted(from)} ${quoted(to)}`,
        env,
      })
      const storage = (verb: string, from: string, to: string): Contestant => ({
        name: ours,
        command: [process.execPath, transferProgram, verb, from, to].map(quoted).join(' '),
        env,
      })
      const puts = await race([aws(file, `s3://${bucket}/theirs`), storage('put', file, 'ours')], report)
      const gets = await race([aws(`s3://${bucket}/theirs`, copy), storage('get', 'ours', copy)], report)
      const backup = { name: archived, command: await filesBackup(folder, large, server) }
      const backups = await race(built ? [backup] : [], report)
      return {
        name: 's3',
        facts: { bytes, server: server.name },
        groups: [
          { title: 'S3, put', results: puts },
          { title: 'S3, get', results: gets },
          { title: 'S3, files', results: backups },
        ],
        targets: [
          ...targetsOf('put', puts),
          ...targetsOf('get', gets),
          ...[...backups].map(([name, measured]) => memoryTarget(name, measured)),
        ],
      }
    } finally {
      await server.stop()
    }
  },
}

function environment({ settings }: S3Server): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: settings['accessKeyId'] ?? '',
    AWS_SECRET_ACCESS_KEY: settings['secretAccessKey'] ?? '',
    AWS_DEFAULT_REGION: settings['region'] ?? '',
    HOLDFAST_BENCH_S3: JSON.stringify(settings),
  }
}

/** The command line, with the server as its storage. */
async function filesBackup(folder: string, tree: string, { settings }: S3Server): Promise<string> {
  const config = join(folder, 'holdfast.config.json')
  const storages = { main: { driver: 's3', ...settings } }
  await writeFile(config, JSON.stringify({ files: { tree }, storages }), { mode: 0o600 })
  return holdfast('files', 'backup', '--config', config)
}

function targetsOf(verb: string, results: ReadonlyMap<string, Measured>): readonly Target[] {
  const [own, peer] = [results.get(ours), results.get(theirs)]
  if (own === undefined || peer === undefined) return []
  return [timesTarget(`${verb}, against aws s3 cp`, own, peer, 1.2), memoryTarget(verb, own)]
}

/** Whatever the size of the object. */
function memoryTarget(what: string, { peakBytes }: Measured): Target {
  return { claim: `memory, ${what}`, value: peakBytes / 1e6, limit: 250, unit: 'MB', bound: 'at most' }
}
