import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevServerDriver, DevServerSite } from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import type { Secret } from '../../env/secret.js'
import { asHoldfastError } from '../../errors.js'
import { ownFile } from '../../process/own-program.js'
import { findServer, installedServers } from './dev-server-programs.js'
import { loadDriver } from './driver.js'
import { identifier, literal } from './quoting.js'
import { openSession } from './session.js'
import { engineName } from './url.js'

/** For data that are thrown away with the server. */
const withoutSync = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

/**
 * A table is filled in the transaction that makes it, and on the disk when that ends: there is no need to write its rows to the log
 * before.
 */
const withoutLog = ['wal_level=minimal', 'max_wal_senders=0']
/** Settings that may forbid that. */
const needsLog = /wal|archive|config/u

/**
 * The free space map and the visibility map of a table or index: a quarter of all files. One that is not there is taken for one
 * that knows nothing, and VACUUM fills it.
 * @see https://www.postgresql.org/docs/current/storage-fsm.html
 * @see https://www.postgresql.org/docs/current/storage-vm.html
 */
const map = /^\d+_(?:fsm|vm)$/u

/** PostgreSQL in a folder of its own. The names of the databases that `initdb` makes stay as they are. */
export const postgresqlDevServer = devServer(engineName, [])

/** The same with PostGIS in the database that it begins with. */
export const postgisDevServer = devServer('postgis', ['postgis'])

function devServer(engine: string, extensions: readonly string[]): DevServerDriver {
  return {
    engine,
    accounts: ['postgres'],
    // A fast shutdown: sessions are ended, and the data are written.
    stopSignal: 'SIGINT',
    discardSignal: 'SIGQUIT',
    find: (cx, wanted) => findServer(cx, wanted, extensions),
    installed: (cx, wanted) => installedServers(cx, wanted, extensions),
    dataVersion: async (data) =>
      (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined))?.trim(),
    create,
    spares: (name) => map.test(name),
    command: (site) => ({ program: program(site, 'postgres'), args: serverArguments(site) }),
    fillingArgs: ({ serverArgs }) =>
      serverArgs.some((arg) => needsLog.test(arg)) ? [] : settingArgs(withoutLog),
    settle: (cx, site) => settle(cx, site, extensions),
    ask: (cx, site) => answer(cx, site),
    clearStale,
    url: ({ user, password, host, port, database }) =>
      `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password.reveal())}@${host}:${port}/${encodeURIComponent(database)}`,
    variables: ({ host, port, user, password, database }) => ({
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password.reveal(),
      PGDATABASE: database,
    }),
    guide: () => readFile(ownFile(['dist', 'engines', 'postgres', 'guide.md']), 'utf8'),
  }
}

function program({ programs }: DevServerSite, name: 'initdb' | 'postgres'): string {
  return programs.paths[name] ?? name
}

async function create(cx: Context, site: DevServerSite): Promise<void> {
  const passwordFile = await site.writePrivate('password', site.initialPassword.reveal())
  try {
    const made = site.run(cx, {
      program: program(site, 'initdb'),
      args: [
        ...['--pgdata', site.dataDirectory, '--username', site.user, '--pwfile', passwordFile],
        // The first start does what is left to do for the disk.
        ...['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-sync'],
      ],
    })
    // Somebody waits for both: what the first query needs is loaded meanwhile.
    loadDriver()
    await made
  } finally {
    await rm(passwordFile, { force: true })
  }
}

function serverArguments(site: DevServerSite): readonly string[] {
  const { dataDirectory, host, port, socketDirectory = '', durable, serverArgs } = site
  const settings = settingArgs([
    `listen_addresses=${host}`,
    `unix_socket_directories=${socketDirectory}`,
    'log_destination=stderr',
    'logging_collector=off',
    ...(durable ? [] : withoutSync),
  ])
  return ['-D', dataDirectory, '-p', String(port), ...settings, ...serverArgs]
}

function settingArgs(settings: readonly string[]): readonly string[] {
  return settings.flatMap((setting) => ['-c', setting])
}

/**
 * Whatever a first start that was interrupted has done already, it is done again. A copy of a template has the database: then one
 * connection is enough, which makes what the next one into that database needs to begin with.
 */
async function settle(cx: Context, site: DevServerSite, extensions: readonly string[]): Promise<void> {
  const { initialPassword, password } = site
  await settleWith(cx, site, initialPassword).catch((error: unknown) => {
    if (asHoldfastError(error).code !== 'database.login-refused') throw error
    return settleWith(cx, site, password)
  })
  if (extensions.length === 0) return
  await query(cx, site, async (rows) => {
    for (const name of extensions) await rows(`CREATE EXTENSION IF NOT EXISTS ${identifier(name)}`)
  })
}

async function settleWith(cx: Context, site: DevServerSite, secret: Secret): Promise<void> {
  const { user, password, database } = site
  const giveUser = async (rows: Rows) => {
    if (secret.reveal() !== password.reveal())
      await rows(`ALTER ROLE ${identifier(user)} PASSWORD ${literal(password.reveal())}`)
  }
  const known = { ...site, password: secret }
  await query(cx, known, giveUser).catch((error: unknown) => {
    if (asHoldfastError(error).code !== 'database.not-found') throw error
    return query(cx, { ...known, database: 'postgres' }, async (rows) => {
      await rows(`CREATE DATABASE ${identifier(database)}`)
      await giveUser(rows)
    })
  })
}

async function answer(cx: Context, site: DevServerSite): Promise<string> {
  return query(cx, site, async (rows) => {
    const [row] = await rows<{ version: string }>(`SELECT current_setting('server_version') AS version`)
    return row?.version ?? ''
  })
}

type Rows = <Row extends object>(sql: string) => Promise<readonly Row[]>

async function query<Result>(
  cx: Context,
  {
    host,
    port,
    user,
    password,
    database,
  }: Pick<DevServerSite, 'host' | 'port' | 'user' | 'password' | 'database'>,
  work: (rows: Rows) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(cx, {
    engine: engineName,
    name: database,
    ...{ host, port, user, password },
    parameters: { sslmode: 'disable', connect_timeout: '5' },
  })
  try {
    return await work((sql) => session.rows(sql))
  } finally {
    await session.close()
  }
}

/** The server would take whatever process has the number now for itself, and not start. */
async function clearStale({ dataDirectory }: DevServerSite, pid: number): Promise<void> {
  const lock = join(dataDirectory, 'postmaster.pid')
  const text = await readFile(lock, 'utf8').catch(() => '')
  if (Number(text.split('\n')[0]) === pid) await rm(lock, { force: true })
}
