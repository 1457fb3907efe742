import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { ordinaryAccount, serverFolder, startServer, type Account } from './server.js'
import { findTool } from './tools.js'

export interface SshServer {
  readonly host: string
  readonly port: number
  /** The account it runs as, and the only one that can log in. */
  readonly user: string
  /** A file with the private key that may log in; readable by whoever runs the tests. */
  readonly keyFile: string
  /** The public key of the host, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string
  /** A new folder of that account, for one test. */
  newFolder(): Promise<string>
  stop(): Promise<void>
}

/**
 * A private sshd that serves SFTP to one key, run by an ordinary user.
 * @param sftpArgs of its SFTP server, such as `-P hardlink`: requests it is not to know
 */
export async function startSshd(sftpArgs = ''): Promise<SshServer> {
  const account = ordinaryAccount('nobody')
  const folder = await serverFolder('ssh', account)
  const keys = await mkdtemp(join(tmpdir(), 'holdfast-keys-'))
  const keyFile = join(keys, 'user')
  try {
    for (const name of ['user', 'host'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(keys, name)])
    const read = (name: string) => execFileSync('cat', [join(keys, name)], { encoding: 'utf8' })
    const hostKeyFile = await ownFile(folder, 'host', read('host'), account)
    const authorized = await ownFile(folder, 'authorized', read('user.pub'), account)
    const server = await startServer({
      folder,
      account,
      command: (port) => ({
        program: findTool('sshd') ?? 'sshd',
        args: [
          ['-D', '-e', '-f', '/dev/null', '-p', String(port)],
          [
            'ListenAddress=127.0.0.1',
            `HostKey=${hostKeyFile}`,
            `AuthorizedKeysFile=${authorized}`,
            `PidFile=${join(folder, 'sshd.pid')}`,
            // Without it an account that has no password is taken for a locked one.
            'UsePAM=yes',
            'StrictModes=no',
            'PasswordAuthentication=no',
            'MaxStartups=100',
            `Subsystem=sftp internal-sftp ${sftpArgs}`,
          ].flatMap((option) => ['-o', option]),
        ].flat(),
        stopSignal: 'SIGTERM',
      }),
      ask: greeting,
    })
    return {
      host: '127.0.0.1',
      port: server.port,
      user: execFileSync('id', ['-un', ...(account === undefined ? [] : [String(account.uid)])], {
        encoding: 'utf8',
      }).trim(),
      keyFile,
      hostKey: read('host.pub').trim(),
      async newFolder() {
        const place = await mkdtemp(join(folder, 'run', 'storage-'))
        if (account !== undefined) await chown(place, account.uid, account.gid)
        return place
      },
      async stop() {
        await server.stop()
        await rm(keys, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(keys, { recursive: true, force: true })
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** A file of the server's account, which it alone can read. */
async function ownFile(folder: string, name: string, text: string, account?: Account): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text, { mode: 0o600 })
  if (account !== undefined) await chown(path, account.uid, account.gid)
  return path
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

/** An ssh-agent that holds one key. */
export async function startAgent(
  folder: string,
  keyFile: string,
): Promise<{ readonly socket: string; stop(): void }> {
  const socket = join(folder, 'agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
  // It says where its socket is when the socket is there.
  await once(agent.stdout, 'data')
  execFileSync('ssh-add', ['-q', keyFile], { env: { PATH: process.env['PATH'], SSH_AUTH_SOCK: socket } })
  return { socket, stop: () => void agent.kill() }
}

/** A server that lets in who knows the password, and then offers nothing. */
export async function startPasswordSsh(
  way: 'password' | 'keyboard-interactive',
  password: string,
): Promise<{ readonly port: number; readonly hostKey: string; close(): Promise<void> }> {
  const host = ssh2.utils.generateKeyPairSync('ed25519')
  const server = new ssh2.Server({ hostKeys: [host.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', (cx) => {
      const answer = (given: string | undefined) => (given === password ? cx.accept() : cx.reject([way]))
      if (cx.method !== way) cx.reject([way])
      else if (cx.method === 'password') answer(cx.password)
      else if (cx.method === 'keyboard-interactive')
        cx.prompt([{ prompt: 'Password: ', echo: false }], (answers) => answer(answers[0]))
    })
    client.on('session', (accept) => accept())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: host.public,
    async close() {
      server.close()
      await once(server, 'close')
    },
  }
}
