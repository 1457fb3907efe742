import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** One way to do a piece of work, measured beside others. */
export interface Contestant {
  readonly name: string
  /** For bash, with pipefail. */
  readonly command: string
  readonly env?: Readonly<Record<string, string>>
  /** A file or folder that the command writes; its size is reported. */
  readonly output?: string
  /** A program that runs meanwhile, unmeasured, and is ended afterwards. */
  readonly beside?: readonly [program: string, ...args: string[]]
  /** Runs before each measurement, unmeasured. */
  prepare?(): Promise<void>
}

export interface Measured {
  /** The median. */
  readonly wallSeconds: number
  /** The shortest: what a machine that does nothing else comes near. */
  readonly bestSeconds: number
  /** Of the command and all that it started, user and system; servers are not among them. */
  readonly cpuSeconds: number
  /** Highest resident memory of the Node process, or of all programs together where there is none. */
  readonly peakBytes: number
  readonly outputBytes?: number
}

const rounds = 3
const pollMs = 20

/**
 * Runs the contestants in turns, so that a machine which slows down or speeds up does so for all, and gives the medians.
 * Linux only: memory is read from /proc.
 */
export async function race(
  contestants: readonly Contestant[],
  report: (line: string) => void,
): Promise<ReadonlyMap<string, Measured>> {
  const measured = new Map<string, Measured[]>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const contestant of contestants) {
      const one = await measure(contestant)
      report(`round ${round}  ${one.wallSeconds.toFixed(2).padStart(7)} s  ${contestant.name}`)
      measured.set(contestant.name, [...(measured.get(contestant.name) ?? []), one])
    }
  }
  return new Map([...measured].map(([name, all]) => [name, medians(all)]))
}

export async function measure(contestant: Contestant): Promise<Measured> {
  await contestant.prepare?.()
  const beside = contestant.beside === undefined ? undefined : startBeside(contestant.beside)
  try {
    const script = `set -o pipefail; ${contestant.command}; status=$?; times >&3; exit $status`
    const started = performance.now()
    const child = spawn('bash', ['-c', script], {
      env: { ...process.env, ...contestant.env },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const memory = watchMemory(child.pid as number)
    const said = collect(child.stderr as Readable)
    const times = collect(child.stdio[3] as Readable)
    const [status] = (await once(child, 'close')) as [number | null]
    const wallSeconds = (performance.now() - started) / 1000
    const peakBytes = memory()
    if (status !== 0) throw new Error(`${contestant.name} ended with ${status}: ${said().trim()}`)
    return {
      wallSeconds,
      bestSeconds: wallSeconds,
      cpuSeconds: cpuSeconds(times()),
      peakBytes,
      ...(contestant.output === undefined ? {} : { outputBytes: await bytesOf(contestant.output) }),
    }
  } finally {
    await beside?.stop()
  }
}

function collect(stream: Readable): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (data: Buffer) => chunks.push(data))
  return () => Buffer.concat(chunks).toString()
}

function startBeside([program, ...args]: readonly [string, ...string[]]): { stop(): Promise<void> } {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'close') as Promise<[number | null]>
  return {
    async stop() {
      if (!child.kill()) throw new Error(`${args.join(' ')} has ended meanwhile`)
      await ended
    },
  }
}

export function medians(all: readonly Measured[]): Measured {
  const outputs = all.flatMap(({ outputBytes }) => (outputBytes === undefined ? [] : [outputBytes]))
  return {
    wallSeconds: median(all.map(({ wallSeconds }) => wallSeconds)),
    bestSeconds: Math.min(...all.map(({ bestSeconds }) => bestSeconds)),
    cpuSeconds: median(all.map(({ cpuSeconds: seconds }) => seconds)),
    // A limit on memory holds for every run.
    peakBytes: Math.max(...all.map(({ peakBytes }) => peakBytes)),
    ...(outputs.length === 0 ? {} : { outputBytes: median(outputs) }),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

/** One word for bash. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** Follows the process and its descendants; the answer is asked for once they have ended. */
function watchMemory(pid: number): () => number {
  const peaks = new Map<number, { name: string; bytes: number }>()
  let polling = false
  const timer = setInterval(() => {
    if (polling) return
    polling = true
    void poll(pid, peaks).finally(() => {
      polling = false
    })
  }, pollMs)
  return () => {
    clearInterval(timer)
    const programs = [...peaks.values()].filter(({ name }) => name !== 'bash')
    const node = programs.filter(({ name }) => name === 'node' || name === 'MainThread')
    return node.length > 0
      ? Math.max(...node.map(({ bytes }) => bytes))
      : programs.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

async function poll(pid: number, peaks: Map<number, { name: string; bytes: number }>): Promise<void> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const name = /^Name:\s*(.*)$/mu.exec(status)?.[1] ?? ''
    const kilobytes = Number(/^VmHWM:\s*(\d+) kB$/mu.exec(status)?.[1] ?? 0)
    peaks.set(pid, { name, bytes: Math.max(kilobytes * 1024, peaks.get(pid)?.bytes ?? 0) })
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim()
    if (children === '') return
    await Promise.all(children.split(' ').map((child) => poll(Number(child), peaks)))
  } catch {
    // The process has ended meanwhile.
  }
}

/** From bash's `times`: a line for the shell, a line for its children, user and system in each. */
function cpuSeconds(times: string): number {
  return [...times.matchAll(/(\d+)m([\d.]+)s/gu)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
}

async function bytesOf(path: string): Promise<number> {
  const facts = await stat(path)
  if (!facts.isDirectory()) return facts.size
  const sizes = await Promise.all((await readdir(path)).map((name) => bytesOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}
