import { spawn, type ChildProcessByStdio, type ChildProcess } from 'node:child_process'
import { Readable, Writable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { ChunkPool } from '../streams/chunk-pool.js'
import { childEnvironment } from './environment.js'
import { MessageLog } from './messages.js'
import type { ToolCall, ToolReport } from './tool.js'

/** How long a program may take to end after SIGTERM before it is killed. */
const graceMs = 5_000
/** A dump tool writes some 10 KB at a time; what follows works best on large chunks. */
const chunkBytes = 4 * 1024 * 1024

/** The output of a running program. */
export interface ToolOutput {
  /**
   * The program's stdout in chunks of 4 MiB, which may be given back (`releaseChunk`). It ends only after the program has ended with status 0; otherwise it is
   * destroyed with the error, so that an end always means success.
   */
  readonly stdout: Readable
  /** Resolves when the program has ended well; rejects as `stdout` does. */
  readonly finished: Promise<ToolReport>
}

/** The input of a running program. */
export interface ToolInput {
  /**
   * The program's stdin. It finishes only after the program has ended with status 0. Destroyed with an error, it kills the
   * program before the program can see an end of input, so that half an input is never taken for a whole one.
   */
  readonly stdin: Writable
  readonly finished: Promise<ToolReport>
}

/**
 * Runs a program and gives what it printed, for short outputs.
 * @throws tool.missing, tool.failed, tool.timeout; the signal's reason when aborted
 */
export async function runTool(
  cx: Context,
  call: ToolCall,
): Promise<ToolReport & { readonly stdout: string }> {
  const { stdout, finished } = readTool(cx, call)
  const chunks: Buffer[] = []
  for await (const chunk of stdout) chunks.push(chunk as Buffer)
  return { ...(await finished), stdout: Buffer.concat(chunks).toString('utf8') }
}

/** Starts a program whose stdout is wanted. */
export function readTool(cx: Context, call: ToolCall): ToolOutput {
  const child = start(cx, call, ['ignore', 'pipe', 'pipe'])
  const finished = supervise(cx, call, child)
  return { stdout: outputOf(child, finished), finished }
}

/** Starts a program that is fed through stdin; what it prints on stdout is dropped. */
export function feedTool(cx: Context, call: ToolCall): ToolInput {
  const child = start(cx, call, ['pipe', 'ignore', 'pipe'])
  const finished = supervise(cx, call, child)
  return { stdin: inputOf(child, finished), finished }
}

/** Starts a program that turns what is fed through stdin into what is read from stdout; both keep their promises. */
export function filterTool(cx: Context, call: ToolCall): ToolInput & ToolOutput {
  const child = start(cx, call, ['pipe', 'pipe', 'pipe'])
  const finished = supervise(cx, call, child)
  return { stdin: inputOf(child, finished), stdout: outputOf(child, finished), finished }
}

function outputOf(child: Child, finished: Promise<ToolReport>): Readable {
  const source = child.stdout as Readable
  const stdout = new Readable({
    highWaterMark: chunkBytes,
    read() {
      source.resume()
    },
    destroy(error, done) {
      // Whoever stops reading ends the program; a program that has ended already does not mind.
      stop(child)
      finished.then(
        () => done(error),
        () => done(error),
      )
    },
  })
  unheard(stdout)
  const pool = new ChunkPool(chunkBytes)
  let buffer = pool.take()
  let filled = 0
  source.on('data', (data: Buffer) => {
    let taken = 0
    while (taken < data.length) {
      const copied = data.copy(buffer, filled, taken)
      taken += copied
      filled += copied
      if (filled < chunkBytes) continue
      const full = buffer
      buffer = pool.take()
      filled = 0
      if (!stdout.push(full)) source.pause()
    }
  })
  finished.then(
    () => {
      if (stdout.destroyed) return
      if (filled > 0) stdout.push(buffer.subarray(0, filled))
      stdout.push(null)
    },
    (error: Error) => stdout.destroy(error),
  )
  return stdout
}

function inputOf(child: Child, finished: Promise<ToolReport>): Writable {
  const sink = child.stdin as Writable
  finished.catch((error: Error) => stdin.destroy(error))
  // A program that has ended shows as EPIPE here; its exit status, which `finished` knows, is what counts.
  sink.on('error', () => undefined)
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      sink.write(chunk, (error) => {
        if (error === null || error === undefined) done()
        // A program may end well before it has read everything; the rest is still read, so that its checksum is seen.
        else finished.then(() => done(), done)
      })
    },
    final(done) {
      sink.end()
      finished.then(
        () => done(),
        (error: Error) => done(error),
      )
    },
    destroy(error, done) {
      if (error !== null) kill(child, 'SIGKILL')
      finished.then(
        () => done(error),
        () => done(error),
      )
    },
  })
  unheard(stdin)
  return stdin
}

/** A program may fail before anybody has begun to read or feed it; whoever begins then is told. */
function unheard(stream: Readable | Writable): void {
  stream.on('error', () => undefined)
}

type Child = ChildProcessByStdio<Writable | null, Readable | null, Readable>

function start(cx: Context, call: ToolCall, stdio: ['ignore' | 'pipe', 'ignore' | 'pipe', 'pipe']): Child {
  const options = {
    stdio,
    env: childEnvironment(cx.env.variables, call),
    windowsHide: true,
    shell: call.shell ?? false,
    ...(call.workingDirectory === undefined ? {} : { cwd: call.workingDirectory }),
  }
  return spawn(call.program, call.args, options) as Child
}

/** Waits for the program's end; a status other than 0, a signal, a timeout or an abort is an error. */
function supervise(cx: Context, call: ToolCall, child: Child): Promise<ToolReport> {
  const log = new MessageLog(call.secrets ?? [])
  child.stderr.on('data', (data: Buffer) => log.push(data))
  const finished = new Promise<ToolReport>((resolve, reject) => {
    let timedOut = false
    const timer =
      call.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            stop(child)
          }, call.timeoutMs)
    const abort = () => stop(child)
    const cleanUp = () => {
      clearTimeout(timer)
      cx.signal.removeEventListener('abort', abort)
    }
    if (cx.signal.aborted) stop(child)
    else cx.signal.addEventListener('abort', abort, { once: true })
    child.once('error', (error: NodeJS.ErrnoException) => {
      // After a successful spawn, 'error' means that a signal could not be sent; 'close' still comes.
      if (child.pid !== undefined) return
      cleanUp()
      reject(notStarted(call, error))
    })
    child.once('close', (status, signal) => {
      if (child.pid === undefined) return
      cleanUp()
      const messages = log.lines()
      if (cx.signal.aborted) reject(abortReason(cx.signal))
      else if (timedOut) reject(timeout(call, messages))
      else if (status === 0) resolve({ messages })
      else reject(failure(call, status, signal, messages))
    })
  })
  // Whoever reads the stream sees the error there; `finished` alone must not be an unhandled rejection.
  finished.catch(() => undefined)
  return finished
}

function stop(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return
  kill(child, 'SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  timer.unref()
  child.once('exit', () => clearTimeout(timer))
}

/** Programs that the program has started may hold its pipes open; nobody waits for what they still say. */
function kill(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  child.once('exit', () => {
    for (const pipe of child.stdio) pipe?.destroy()
  })
  child.kill(signal)
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error
    ? signal.reason
    : new HoldfastError('interrupted.sigint', 'interrupted')
}

function notStarted(call: ToolCall, error: NodeJS.ErrnoException): HoldfastError {
  const missing = error.code === 'ENOENT' || error.code === 'EACCES' || error.code === 'ENOTDIR'
  return missing
    ? new HoldfastError(
        'tool.missing',
        error.code === 'EACCES' ? `${call.program} may not be run` : `${call.program} is not installed`,
        { cause: error, details: { program: call.program } },
      )
    : new HoldfastError('tool.failed', `${call.program} could not be started: ${error.message}`, {
        cause: error,
        details: { program: call.program },
      })
}

function timeout(call: ToolCall, messages: readonly string[]): HoldfastError {
  return new HoldfastError('tool.timeout', `${call.program} did not end within ${call.timeoutMs} ms`, {
    details: { program: call.program, messages },
  })
}

function failure(
  call: ToolCall,
  status: number | null,
  signal: NodeJS.Signals | null,
  messages: readonly string[],
): HoldfastError {
  const program = call.shell === true ? `the command ${call.program}` : call.program
  const how = signal === null ? `ended with status ${status}` : `was ended by ${signal}`
  const said =
    messages.find((line) => /error|fatal/iu.test(line)) ??
    // PostgreSQL's programs end with a hint, after what was wrong.
    messages.findLast((line) => !/\bhint: |^Try .* --help/iu.test(line)) ??
    messages.at(-1)
  return new HoldfastError('tool.failed', `${program} ${how}${said === undefined ? '' : `: ${said}`}`, {
    details: { program: call.program, status, signal, messages },
  })
}
