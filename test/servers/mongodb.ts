import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { mongodbPrograms } from '../../scripts/mongodb-tools.mjs'
import { serverFolder, startServer, type StartedServer } from './server.js'

type Programs = NonNullable<ReturnType<typeof mongodbPrograms>>

/** Where a server listens, and who may make its first account. */
interface Door {
  readonly port: number
  readonly setup: { readonly user: string; readonly password: string }
}

/**
 * A private MongoDB server with one account, `holdfast` of the database `admin`, who may do everything and needs a password:
 * `mongod` where it is installed, else FerretDB from the cache that scripts/mongodb-tools.mjs fills; undefined where there is
 * neither, or where mongodump or mongorestore is missing.
 */
export async function startMongodb(): Promise<StartedServer | undefined> {
  const programs = mongodbPrograms()
  if (programs === undefined) return undefined
  const folder = await serverFolder('mg', undefined)
  const data = join(folder, 'data')
  const user = 'holdfast'
  // The first account's password stands in FerretDB's arguments; the one that the tests use stands nowhere.
  const setup = { user: 'setup', password: randomBytes(12).toString('hex') }
  const password = randomBytes(12).toString('hex')
  try {
    await mkdir(data)
    let hasAccount = false
    const server = await startServer({
      folder,
      account: undefined,
      command: (port) => ({
        program: programs.server,
        args:
          programs.kind === 'mongod' ? mongodArgs(data, port) : ferretdbArgs(data, folder, { port, setup }),
        stopSignal: 'SIGKILL',
      }),
      ask: async (port) => {
        if (!hasAccount) await makeAccount(programs, { port, setup }, { user, password })
        hasAccount = true
        return askVersion(port, { user, password })
      },
    })
    const { port, version } = server
    return {
      address: {
        ...{ host: '127.0.0.1', port, user, password, version },
        binDirectory: programs.tools,
        socketDirectory: join(folder, 'run'),
      },
      stop: () => server.stop(),
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw new Error(`${programs.server} did not start: ${(error as Error).message}`, { cause: error })
  }
}

function mongodArgs(data: string, port: number): string[] {
  return ['--auth', '--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket']
}

function ferretdbArgs(data: string, folder: string, { port, setup }: Door): string[] {
  return [
    ['--handler=sqlite', `--sqlite-url=file:${data}/`, `--state-dir=${folder}`],
    [`--listen-addr=127.0.0.1:${port}`, '--debug-addr=-', '--telemetry=disable', '--log-level=warn'],
    // Without this any password is taken.
    ['--test-enable-new-auth', '--setup-database=admin'],
    [`--setup-username=${setup.user}`, `--setup-password=${setup.password}`],
  ].flat()
}

interface Login {
  readonly user: string
  readonly password: string
}

async function makeAccount({ kind }: Programs, { port, setup }: Door, account: Login): Promise<void> {
  // A mongod without any account lets the first be made by whoever is on the same machine.
  await withClient(port, kind === 'mongod' ? undefined : setup, (client) =>
    client.db('admin').command({
      createUser: account.user,
      pwd: account.password,
      // FerretDB 1.x has no roles: every account may do everything.
      roles: kind === 'mongod' ? ['root'] : [],
    }),
  )
}

/** FerretDB says its own version beside that of the MongoDB it stands for. */
async function askVersion(port: number, account: Login): Promise<string> {
  const info = await withClient(port, account, (client) => client.db('admin').command({ buildInfo: 1 }))
  const { version, ferretdbVersion } = info as { version: string; ferretdbVersion?: string }
  return ferretdbVersion === undefined ? version : `FerretDB ${ferretdbVersion}`
}

async function withClient<Result>(
  port: number,
  account: Login | undefined,
  work: (client: MongoClient) => Promise<Result>,
): Promise<Result> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}`, {
    directConnection: true,
    serverSelectionTimeoutMS: 2_000,
    ...(account === undefined
      ? {}
      : { auth: { username: account.user, password: account.password }, authSource: 'admin' }),
  })
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}
