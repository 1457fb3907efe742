import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { startMoto } from '../../test/servers/moto.js'
import { serverFolder, startServer } from '../../test/servers/server.js'
import { findTool } from '../../test/servers/tools.js'

export interface S3Server {
  readonly name: string
  /** Of a storage, with its bucket. */
  readonly settings: Readonly<Record<string, string>>
  stop(): Promise<void>
}

const bucket = 'bench'
const login = { accessKeyId: 'test', secretAccessKey: 'test-secret' }

/** versitygw where it is installed, since it costs little beside what is measured; moto where it is not. */
export async function startS3(): Promise<S3Server> {
  const program = findTool('versitygw')
  if (program === undefined) {
    const moto = await startMoto()
    await moto.makeBucket(bucket)
    return { name: 'moto', settings: settingsAt(moto.endpoint), stop: () => moto.stop() }
  }
  const folder = await serverFolder('gateway', undefined)
  mkdirSync(join(folder, 'objects'))
  const server = await startServer({
    folder,
    account: undefined,
    command: (port) => ({
      program,
      args: [
        ...['--quiet', '--port', `127.0.0.1:${port}`],
        ...['--access', login.accessKeyId, '--secret', login.secretAccessKey],
        ...['posix', join(folder, 'objects')],
      ],
      stopSignal: 'SIGKILL',
    }),
    async ask(port) {
      await clientAt(`http://127.0.0.1:${port}`).send(new ListBucketsCommand())
      return 'versitygw'
    },
  })
  const endpoint = `http://127.0.0.1:${server.port}`
  await clientAt(endpoint).send(new CreateBucketCommand({ Bucket: bucket }))
  return { name: 'versitygw', settings: settingsAt(endpoint), stop: () => server.stop() }
}

function settingsAt(endpoint: string): Readonly<Record<string, string>> {
  return { endpoint, bucket, region: 'us-east-1', ...login }
}

function clientAt(endpoint: string): S3Client {
  return new S3Client({
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 },
    // A copy: the client writes into it.
    credentials: { ...login },
  })
}
