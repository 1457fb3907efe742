import { access, constants, readdir, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type {
  DevServerDriver,
  DevServerPrograms,
  DevServerSite,
  WantedPrograms,
} from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import type { Env } from '../../env/env.js'
import type { Secret } from '../../env/secret.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { ownFile } from '../../process/own-program.js'
import { runTool } from '../../process/run.js'
import { MongoSession } from './session.js'

const probeTimeoutMs = 20_000
/** FerretDB's own; the account that the user gets is made by it. */
const setupUser = 'holdfast-setup'

/** MongoDB: `mongod`, or FerretDB 1 on SQLite where that is what is installed. */
export const mongodbDevServer: DevServerDriver = {
  engine: 'mongodb',
  accounts: ['mongodb', 'mongod'],
  runsAsRoot: true,
  find: async (cx, wanted) => (await installedServers(cx, wanted))[0],
  installed: installedServers,
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

/** Those of MongoDB before FerretDB, each program in the order of its folders. @throws tool.missing */
async function installedServers(
  cx: Context,
  { directory }: WantedPrograms,
): Promise<readonly [DevServerPrograms, ...DevServerPrograms[]]> {
  const folders = directory === undefined ? await usualFolders(cx.env) : [directory]
  const found: DevServerPrograms[] = []
  for (const name of ['mongod', 'ferretdb'])
    for (const folder of new Set(folders)) {
      const server = join(folder, cx.env.platform === 'win32' ? `${name}.exe` : name)
      const runs = await access(server, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (runs) found.push(await programOf(cx, name, server))
    }
  const [first, ...others] = found.filter(({ product, version }) => !needsPostgres(product, version))
  if (first !== undefined) return [first, ...others]
  const [unfit] = found
  if (unfit !== undefined)
    throw new HoldfastError(
      'tool.missing',
      `FerretDB ${unfit.version} (${unfit.paths['server'] ?? ''}) needs a PostgreSQL of its own`,
      {
        hint: 'install mongod, or FerretDB 1, which keeps its data in SQLite',
      },
    )
  const where = directory === undefined ? '' : ` in ${directory}`
  throw new HoldfastError(
    'tool.missing',
    `there is no MongoDB server${where}: neither mongod nor ferretdb is found`,
    {
      hint: `${cx.env.platform === 'darwin' ? 'brew install mongodb/brew/mongodb-community' : 'install mongodb-org-server from repo.mongodb.org'}, or set devServers.mongodb.programs to the folder of its programs`,
    },
  )
}

async function programOf(cx: Context, name: string, server: string): Promise<DevServerPrograms> {
  const { stdout } = await runTool(cx, { program: server, args: ['--version'], timeoutMs: probeTimeoutMs })
  const version = /(?:db )?version:? "?v?(\d[\w.-]*)/iu.exec(stdout)?.[1] ?? 'unknown'
  return { product: name === 'mongod' ? 'MongoDB' : 'FerretDB', version, paths: { server } }
}

function needsPostgres(product: string, version: string): boolean {
  return product === 'FerretDB' && version.startsWith('2.')
}

async function usualFolders({ platform, variables }: Env): Promise<readonly string[]> {
  const inPath = (variables['PATH'] ?? variables['Path'] ?? '').split(delimiter).filter((each) => each !== '')
  if (platform !== 'win32') {
    const brewed = await within('/opt/homebrew/opt', /^mongodb-community/u)
    return [...inPath, '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', ...brewed]
  }
  const parent = join(variables['ProgramFiles'] ?? 'C:\\Program Files', 'MongoDB', 'Server')
  return [...inPath, ...(await within(parent, /^\d/u))]
}

async function within(parent: string, name: RegExp): Promise<readonly string[]> {
  const names = await readdir(parent).catch(() => [])
  const fitting = names.filter((each) => name.test(each))
  return fitting.toSorted((a, b) => parseFloat(b) - parseFloat(a)).map((each) => join(parent, each, 'bin'))
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
