import { readFile } from 'node:fs/promises'
import type { DevServerDriver, DevServerSite } from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import type { Secret } from '../../env/secret.js'
import { asHoldfastError } from '../../errors.js'
import { ownFile } from '../../process/own-program.js'
import { installedServers } from './dev-server-programs.js'
import { MongoSession } from './session.js'

/** FerretDB's own; the account that the user gets is made by it. */
const setupUser = 'holdfast-setup'

/** MongoDB: `mongod`, or FerretDB 1 on SQLite where that is what is installed. */
export const mongodbDevServer: DevServerDriver = {
  engine: 'mongodb',
  accounts: ['mongodb', 'mongod'],
  runsAsRoot: true,
  find: async (cx, wanted) => (await installedServers(cx, wanted))[0],
  installed: (cx, wanted) => installedServers(cx, wanted),
  command: (site) => (isFerret(site) ? ferretCommand(site) : mongodCommand(site)),
  settle,
  ask: (cx, site) => query(cx, site, site, async (session) => Promise.resolve(session.identity.version)),
  url: ({ user, password, host, port, database }) =>
    `mongodb://${encodeURIComponent(user)}:${encodeURIComponent(password.reveal())}@${host}:${port}/${encodeURIComponent(database)}?authSource=admin&directConnection=true`,
  guide: () => readFile(ownFile(['dist', 'engines', 'mongodb', 'guide.md']), 'utf8'),
}

function isFerret({ programs }: DevServerSite): boolean {
  return programs.product === 'FerretDB'
}

function mongodCommand({ dataDirectory, host, port, programs, serverArgs }: DevServerSite) {
  const args = ['--auth', '--dbpath', dataDirectory, '--port', String(port), '--bind_ip', host]
  return { program: programs.paths['server'] ?? 'mongod', args: [...args, '--nounixsocket', ...serverArgs] }
}

/** Its first account is told by variables, which other users of the machine cannot see as they see arguments. */
function ferretCommand(site: DevServerSite) {
  const { dataDirectory, host, port, programs, serverArgs, initialPassword } = site
  return {
    program: programs.paths['server'] ?? 'ferretdb',
    args: [
      ...['--handler=sqlite', `--sqlite-url=file:${dataDirectory}/`, `--state-dir=${dataDirectory}`],
      ...[`--listen-addr=${host}:${port}`, '--debug-addr=-', '--telemetry=disable', '--log-level=warn'],
      // Without this any password is taken.
      ...['--test-enable-new-auth', '--setup-database=admin'],
      ...serverArgs,
    ],
    env: { FERRETDB_SETUP_USERNAME: setupUser, FERRETDB_SETUP_PASSWORD: initialPassword.reveal() },
  }
}

/** A mongod without any account lets the first one be made by whoever is on the same machine. */
async function settle(cx: Context, site: DevServerSite): Promise<void> {
  const known = await query(cx, site, site, () => Promise.resolve(true)).catch((error: unknown) => {
    if (asHoldfastError(error).code !== 'database.login-refused') throw error
    return false
  })
  if (known) return
  const maker = isFerret(site) ? { user: setupUser, password: site.initialPassword } : undefined
  await query(cx, site, maker, (session) =>
    session.ask((database) =>
      database.command({
        createUser: site.user,
        pwd: site.password.reveal(),
        // FerretDB 1 has no roles: every account may do everything.
        roles: isFerret(site) ? [] : ['root'],
      }),
    ),
  )
}

async function query<Result>(
  cx: Context,
  { host, port }: DevServerSite,
  login: { readonly user: string; readonly password: Secret } | undefined,
  work: (session: MongoSession) => Promise<Result>,
): Promise<Result> {
  const { user, password } = login ?? {}
  const session = await MongoSession.open(cx, {
    engine: 'mongodb',
    // Where accounts are kept.
    name: 'admin',
    ...{ host, port },
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    parameters: { serverSelectionTimeoutMS: '2000' },
  })
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}
