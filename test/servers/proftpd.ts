import { execFileSync } from 'node:child_process'
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { ordinaryAccount, serverFolder, startServer, type Account } from './server.js'
import { findTool } from './tools.js'

/** A private proftpd that lets in one account. */
export interface FtpServer {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** The file of the certificate to trust. */
  readonly ca: string
  /** A new folder of that account, for one test. */
  newFolder(): Promise<string>
  stop(): Promise<void>
}

/** @param tls whether it knows TLS; then it wants it */
export async function startProftpd(tls = true): Promise<FtpServer> {
  const account = ordinaryAccount('nobody')
  const folder = await serverFolder('ftp', account)
  const [user, password] = ['shop', 'correct-horse']
  try {
    const root = join(folder, 'run', 'ftp')
    await mkdir(root)
    const uid = account?.uid ?? process.getuid?.() ?? 0
    const gid = account?.gid ?? process.getgid?.() ?? 0
    const hash = execFileSync('openssl', ['passwd', '-1', password], { encoding: 'utf8' }).trim()
    const ca = join(folder, 'cert.pem')
    execFileSync(
      'openssl',
      [
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ['-days', '2', '-subj', '/CN=127.0.0.1'],
        ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', ca],
      ].flat(),
      { stdio: 'ignore' },
    )
    await writeFile(join(folder, 'users'), `${user}:${hash}:${uid}:${gid}::${root}:/bin/sh\n`, {
      mode: 0o600,
    })
    await owned([root, ca, join(folder, 'key.pem'), join(folder, 'users')], account)
    const server = await startServer({
      folder,
      account,
      command: (port) => {
        const file = join(folder, `proftpd-${port}.conf`)
        execFileSync('tee', [file], {
          input: configuration(folder, port, account, tls),
          stdio: ['pipe', 'ignore', 'inherit'],
        })
        return {
          program: findTool('proftpd') ?? 'proftpd',
          args: ['-n', '-q', '-c', file],
          stopSignal: 'SIGKILL',
        }
      },
      ask: greeting,
    })
    return {
      ...{ host: '127.0.0.1', port: server.port, user, password, ca },
      async newFolder() {
        const place = await mkdtemp(join(root, 'storage-'))
        await owned([place], account)
        return place
      },
      stop: () => server.stop(),
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function accountName(flag: '-un' | '-gn', uid: number | undefined): string {
  return execFileSync('id', [flag, ...(uid === undefined ? [] : [String(uid)])], { encoding: 'utf8' }).trim()
}

function configuration(folder: string, port: number, account: Account | undefined, tls: boolean): string {
  return `
    ModulePath /usr/lib/proftpd
    LoadModule mod_tls.c
    ServerType standalone
    DefaultAddress 127.0.0.1
    Port ${port}
    UseIPv6 off
    UseReverseDNS off
    WtmpLog off
    User ${accountName('-un', account?.uid)}
    Group ${accountName('-gn', account?.uid)}
    AuthPAM off
    ControlsEngine off
    AuthOrder mod_auth_file.c
    AuthUserFile ${folder}/users
    RequireValidShell off
    PidFile ${folder}/run/proftpd.pid
    ScoreboardFile ${folder}/run/scoreboard
    DelayEngine off
    AllowOverwrite on
    AllowStoreRestart on
    AllowRetrieveRestart on
    MaxInstances none
    TLSEngine ${tls ? 'on' : 'off'}
    TLSRequired ${tls ? 'on' : 'off'}
    TLSECCertificateFile ${folder}/cert.pem
    TLSECCertificateKeyFile ${folder}/key.pem
    TLSLog ${folder}/run/tls.log
    SystemLog ${folder}/run/system.log
`
}

async function owned(paths: readonly string[], account: Account | undefined): Promise<void> {
  if (account !== undefined) for (const path of paths) await chown(path, account.uid, account.gid)
}

async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    const [data] = (await once(socket, 'data')) as [Buffer]
    return data.toString('latin1').trim()
  } finally {
    socket.destroy()
  }
}
