import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ordinaryAccount, serverFolder, startServer, type Account } from './server.js'
import { findTool } from './tools.js'

/** A private Apache that serves folders over WebDAV. */
export interface WebdavServer {
  readonly port: number
  readonly user: string
  readonly password: string
  /** The URL of a new collection that is there already, and its folder. */
  newFolder(): Promise<{ readonly url: string; readonly folder: string }>
  stop(): Promise<void>
}

const modules = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'authz_core',
  'authz_user',
  'auth_basic',
  'dav',
  'dav_fs',
]

/** Where Debian puts its modules. */
const moduleFolder = '/usr/lib/apache2/modules'

export async function startApache(): Promise<WebdavServer> {
  const account = ordinaryAccount('www-data')
  const folder = await serverFolder('dav', account)
  const [user, password] = ['shop', 'correct-horse']
  try {
    const root = join(folder, 'run', 'dav')
    await ownFolder(root, account)
    const hash = execFileSync('openssl', ['passwd', '-apr1', password], { encoding: 'utf8' }).trim()
    await writeFile(join(folder, 'users'), `${user}:${hash}\n`, { mode: 0o644 })
    const server = await startServer({
      folder,
      account,
      command: (port) => ({
        program: findTool('apache2') ?? 'apache2',
        args: ['-X', '-f', '/dev/null', ...directives(folder, root, port).flatMap((line) => ['-C', line])],
        stopSignal: 'SIGKILL',
      }),
      async ask(port) {
        const { status } = await fetch(`http://127.0.0.1:${port}/`)
        return String(status)
      },
    })
    return {
      port: server.port,
      user,
      password,
      async newFolder() {
        const place = await mkdtemp(join(root, 'storage-'))
        if (account !== undefined) await chown(place, account.uid, account.gid)
        return { url: `http://127.0.0.1:${server.port}${place.slice(root.length)}`, folder: place }
      },
      stop: () => server.stop(),
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function directives(folder: string, root: string, port: number): readonly string[] {
  return [
    ...modules.map((name) => `LoadModule ${name}_module ${moduleFolder}/mod_${name}.so`),
    `ServerRoot ${folder}`,
    'ServerName 127.0.0.1',
    `Listen 127.0.0.1:${port}`,
    `PidFile ${folder}/run/apache.pid`,
    `DefaultRuntimeDir ${folder}/run`,
    `ErrorLog ${folder}/run/error.log`,
    `DavLockDB ${folder}/run/locks`,
    `DocumentRoot ${root}`,
    'LimitXMLRequestBody 0',
    `<Directory ${root}>`,
    'Dav On',
    'AuthType Basic',
    'AuthName dav',
    `AuthUserFile ${folder}/users`,
    'Require valid-user',
    '</Directory>',
  ]
}

async function ownFolder(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { recursive: true })
  if (account !== undefined) await chown(path, account.uid, account.gid)
}
