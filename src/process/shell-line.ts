import { spawn, type ChildProcess } from 'node:child_process'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'

/** How long what was started may take to end after SIGTERM before it is killed. */
const graceMs = 5_000
/** Of what is printed so much is kept from the beginning, and so much from the end. */
const keptBytes = 32 * 1024

export interface ShellLine {
  /** A line for the system's shell, as the user has given it. */
  readonly line: string
  /** Added to this process's environment. */
  readonly env: Readonly<Record<string, string>>
  readonly workingDirectory: string
}

/** How a line of the shell has ended. */
export interface ShellOutcome {
  /** Absent where a signal ended it. */
  readonly status?: number
  readonly signal?: NodeJS.Signals
  /** What it printed on stdout and stderr, as it came; where that is long, without its middle. */
  readonly output: string
}

/**
 * Runs a line of the system's shell to its end, whatever that is. All that it has started ends with it: npm and its like start
 * programs of their own.
 * @throws the signal's reason when aborted; tool.missing where there is no shell
 */
export async function runShellLine(
  { env, signal }: Context,
  { line, env: added, workingDirectory }: ShellLine,
): Promise<ShellOutcome> {
  signal.throwIfAborted()
  const ownGroup = env.platform !== 'win32'
  const child = spawn(line, {
    shell: true,
    // A group of its own, so that all of it can be ended.
    detached: ownGroup,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: workingDirectory,
    env: { ...env.variables, ...added },
  })
  const output = new EndsOfText(keptBytes)
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => output.push(data))
  const end = (how: NodeJS.Signals) => endGroup(child, ownGroup, how)
  let timer: NodeJS.Timeout | undefined
  const abort = () => {
    end('SIGTERM')
    timer = setTimeout(() => end('SIGKILL'), graceMs)
  }
  signal.addEventListener('abort', abort, { once: true })
  try {
    const { status, by } = await ended(child, () => end('SIGKILL'))
    signal.throwIfAborted()
    return {
      ...(status === null ? {} : { status }),
      ...(by === null ? {} : { signal: by }),
      output: output.text(),
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

/** @param endRest what is left of the group holds the pipes open, and nobody waits for it */
function ended(
  child: ChildProcess,
  endRest: () => void,
): Promise<{ readonly status: number | null; readonly by: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new HoldfastError('tool.missing', `no shell could be started: ${cause.message}`, { cause })),
    )
    child.once('exit', endRest)
    child.once('close', (status, by) => resolve({ status, by }))
  })
}

function endGroup({ pid }: ChildProcess, ownGroup: boolean, how: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(ownGroup ? -pid : pid, how)
  } catch {
    // All of it has ended.
  }
}

/** The beginning and the end of a text of any length. */
class EndsOfText {
  readonly #kept: number
  readonly #head: Buffer[] = []
  #headBytes = 0
  #tail = Buffer.alloc(0)
  #left = 0

  constructor(kept: number) {
    this.#kept = kept
  }

  push(data: Buffer): void {
    const ofHead = data.subarray(0, this.#kept - this.#headBytes)
    if (ofHead.length > 0) this.#head.push(ofHead)
    this.#headBytes += ofHead.length
    const joined = Buffer.concat([this.#tail, data.subarray(ofHead.length)])
    this.#left += Math.max(0, joined.length - this.#kept)
    this.#tail = joined.subarray(-this.#kept)
  }

  text(): string {
    const left = this.#left === 0 ? '' : `\n… ${this.#left} bytes are left out …\n`
    return `${Buffer.concat(this.#head).toString('utf8')}${left}${this.#tail.toString('utf8')}`
  }
}
