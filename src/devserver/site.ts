import { randomBytes } from 'node:crypto'
import { chown, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevServerPrograms, DevServerSite, ServerCommand } from '../engine/dev-server.js'
import type { Account } from '../env/account.js'
import { Secret } from '../env/secret.js'
import { runTool } from '../process/run.js'
import type { ToolCall } from '../process/tool.js'
import { diskFull } from './disk-full.js'
import type { ServerRecord } from './record.js'

export const host = '127.0.0.1'

/** The path of a socket may have so many bytes on macOS; Linux allows four more. */
const longestSocketPath = 103
const longestSocketName = '/.s.PGSQL.65535.lock'.length

export interface SiteFacts {
  readonly folder: string
  readonly record: ServerRecord
  readonly programs: DevServerPrograms
  readonly serverArgs: readonly string[]
  readonly account: Account | undefined
  readonly platform: NodeJS.Platform
}

export function siteOf({
  folder,
  record,
  programs,
  serverArgs,
  account,
  platform,
}: SiteFacts): DevServerSite {
  const socketDirectory = join(folder, 'run')
  const socketFits = Buffer.byteLength(socketDirectory) + longestSocketName <= longestSocketPath
  const site: DevServerSite = {
    engine: record.engine,
    name: record.name,
    folder,
    dataDirectory: join(folder, 'data'),
    ...(socketFits && platform !== 'win32' ? { socketDirectory } : {}),
    logFile: join(folder, 'server.log'),
    programs,
    host,
    port: record.port,
    user: record.user,
    password: new Secret(record.password),
    database: record.database,
    initialPassword: new Secret(record.initialPassword ?? record.password),
    durable: record.durable,
    serverArgs,
    ...(account === undefined ? {} : { account }),
    async run(cx, command) {
      await runTool(cx, callOf(site, command)).catch((error: unknown) => {
        throw diskFull(error, folder)
      })
    },
    async writePrivate(name, content) {
      const file = join(folder, name)
      // Under another name first: what a killed run has left may belong to another account.
      const own = `${file}.${randomBytes(4).toString('hex')}`
      await writeFile(own, content, { flag: 'wx', mode: 0o600 })
      if (account !== undefined) await chown(own, account.uid, account.gid)
      await rename(own, file)
      return file
    },
  }
  return site
}

/**
 * Server programs see little of the environment: what stands in it for other servers (`PGPORT`, `MYSQL_HOME`) is not for this
 * one. Times are in UTC and messages in English, whatever the machine.
 */
export function callOf({ folder, account }: DevServerSite, { program, args, env }: ServerCommand): ToolCall {
  return {
    program,
    args,
    env: { HOME: folder, TMPDIR: folder, LC_ALL: 'C', TZ: 'UTC', ...env },
    inheritEnv: false,
    workingDirectory: folder,
    ...(account === undefined ? {} : { account }),
  }
}
