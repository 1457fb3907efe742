import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'

/** What a test needs to reach a server; plain data, so that it can be provided to the workers. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
  /** Has every privilege, and may grant them. */
  readonly user: string
  readonly password: string
  /** As the server itself says it: `15.18 (Debian 15.18-0+deb12u1)`, `10.11.14-MariaDB-0+deb12u2`. */
  readonly version: string
  /** Where its programs lie. */
  readonly binDirectory: string
  readonly socketDirectory: string
}

export interface StartedServer {
  readonly address: ServerAddress
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
}

/** The system account a server runs as. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface ServerProgram {
  readonly program: string
  readonly args: readonly string[]
  /** The signal that ends the server at once; its data are thrown away anyway. */
  readonly stopSignal: NodeJS.Signals
}

const readyTimeoutMs = 60_000
const guard = fileURLToPath(new URL('guard.mjs', import.meta.url))

/** Servers refuse root: the account of the package, or nobody. Undefined for an ordinary user, who needs none. */
export function ordinaryAccount(preferred: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of [preferred, 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
      )
      if (uid !== undefined && gid !== undefined) return { uid, gid }
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error('the servers of the tests refuse to run as root, and there is no account nobody')
}

/** A private folder for a server, with `data` (not yet there), `run` for its socket, and `server.log`. */
export async function serverFolder(name: string, account: Account | undefined): Promise<string> {
  // The path of a socket may have some 100 bytes: short names.
  const folder = await mkdtemp(join(tmpdir(), `holdfast-${name}-`))
  await mkdir(join(folder, 'run'))
  // A restore into a socket's folder by another account than the server's must reach the socket.
  await chmod(folder, 0o711)
  if (account !== undefined) {
    for (const path of [folder, join(folder, 'run')]) await chown(path, account.uid, account.gid)
  }
  return folder
}

/** Runs a program that prepares a server; what it printed is in the error. */
export async function runOnce(
  program: string,
  args: readonly string[],
  options: { readonly folder: string; readonly account: Account | undefined },
): Promise<void> {
  const child = spawn(program, args, {
    ...options.account,
    cwd: options.folder,
    env: { PATH: process.env['PATH'], HOME: options.folder, TMPDIR: options.folder, LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed: Buffer[] = []
  child.stdout.on('data', (data: Buffer) => printed.push(data))
  child.stderr.on('data', (data: Buffer) => printed.push(data))
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0)
    throw new Error(`${program} ended with status ${status}:\n${Buffer.concat(printed).toString()}`)
}

/**
 * Starts a server on a free port and waits until `ask` has got an answer from it.
 * @param ask a real query; its rejections mean "not yet"
 */
export async function startServer(options: {
  readonly folder: string
  readonly account: Account | undefined
  command(port: number): ServerProgram
  ask(port: number): Promise<string>
}): Promise<{ readonly port: number; readonly version: string; stop(): Promise<void> }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const child = spawnGuard(options.folder, options.account, options.command(port))
    try {
      return {
        port,
        version: await untilReady(child, () => options.ask(port)),
        stop: () => stop(child, options.folder),
      }
    } catch (error) {
      const log = await tailOfLog(options.folder)
      // Between finding a port and using it somebody else may have taken it.
      if (attempt < 3 && /address already in use/iu.test(log)) continue
      await stop(child, options.folder)
      throw new Error(`${(error as Error).message}; the end of its log:\n${log}`, { cause: error })
    }
  }
}

function spawnGuard(folder: string, account: Account | undefined, server: ServerProgram): ChildProcess {
  return spawn(process.execPath, [guard, JSON.stringify({ ...server, folder, account })], {
    stdio: ['pipe', 'ignore', 'inherit'],
    // Out of the terminal's process group: Ctrl-C reaches the tests first, and their end reaches the guard.
    detached: true,
    windowsHide: true,
  })
}

async function untilReady(child: ChildProcess, ask: () => Promise<string>): Promise<string> {
  const until = Date.now() + readyTimeoutMs
  let last: unknown
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error('the server ended while starting')
    try {
      return await ask()
    } catch (error) {
      last = error
      await delay(100)
    }
  }
  throw new Error(`the server gave no answer within ${readyTimeoutMs / 1000} s: ${String(last)}`)
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'close')
    child.stdin?.end()
    await ended
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

async function tailOfLog(folder: string): Promise<string> {
  try {
    return (await readFile(join(folder, 'server.log'), 'utf8')).split('\n').slice(-30).join('\n')
  } catch {
    return '(no log)'
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
