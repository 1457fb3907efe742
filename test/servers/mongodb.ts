import { dirname } from 'node:path'
import { MongoClient } from 'mongodb'
import { mongodbPrograms } from '../../scripts/mongodb-tools.mjs'
import { startDevServer } from '../../src/testing/dev-server.js'
import type { StartedServer } from './server.js'

/**
 * A private MongoDB server with one account, `holdfast` of the database `admin`, who may do everything and needs a password:
 * `mongod` where it is installed, else FerretDB from the cache that scripts/mongodb-tools.mjs fills; undefined where there is
 * neither, or where mongodump or mongorestore is missing.
 */
export async function startMongodb(): Promise<StartedServer | undefined> {
  const programs = mongodbPrograms()
  if (programs === undefined) return undefined
  const server = await startDevServer('mongodb', { programs: dirname(programs.server), user: 'holdfast' })
  const { host, port, user, socketDirectory = '' } = server
  const password = server.password.reveal()
  const version = await askVersion(port, { user, password })
  return {
    address: { host, port, user, password, version, binDirectory: programs.tools, socketDirectory },
    stop: () => server.stop(),
  }
}

interface Login {
  readonly user: string
  readonly password: string
}

/** FerretDB says its own version beside that of the MongoDB it stands for. */
async function askVersion(port: number, { user, password }: Login): Promise<string> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}`, {
    directConnection: true,
    auth: { username: user, password },
    authSource: 'admin',
  })
  try {
    const info = await client.db('admin').command({ buildInfo: 1 })
    const { version, ferretdbVersion } = info as { version: string; ferretdbVersion?: string }
    return ferretdbVersion === undefined ? version : `FerretDB ${ferretdbVersion}`
  } finally {
    await client.close()
  }
}
