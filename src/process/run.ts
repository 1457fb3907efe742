import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Socket } from 'node:net'
import { Writable, type Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { childEnvironment } from './environment.js'
import type { ChunkPool } from '../streams/chunk-pool.js'
import { GatheredOutput, type OutputSource } from './gathered-output.js'
import { withLargeWrites } from './large-writes.js'
import { MessageLog } from './messages.js'
import { outputPair, type OutputPair } from './output-pair.js'
import type { ToolCall, ToolReport } from './tool.js'

/** How long a program may take to end after SIGTERM before it is killed. */
const graceMs = 5_000

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
  const running = start(cx, call, ['ignore', 'pipe', 'pipe'])
  const chunks: Buffer[] = []
  running.child.stdout?.on('data', (data: Buffer) => chunks.push(data))
  const report = await supervise(cx, call, running)
  return { ...report, stdout: Buffer.concat(chunks).toString('utf8') }
}

/**
 * Starts a program whose stdout is wanted.
 * @param watch sees what it prints as it comes, well before there is a chunk of it; the bytes are there during the call only
 * @param pool of {@link gatheredChunks}, where several programs run at once
 */
export function readTool(
  cx: Context,
  call: ToolCall,
  watch: (data: Uint8Array) => void = () => undefined,
  pool?: ChunkPool,
): ToolOutput {
  const unread = new AbortController()
  const signal = AbortSignal.any([cx.signal, unread.signal])
  let source: Socket | Readable | undefined
  const origin: OutputSource = {
    resume: () => source?.resume(),
    stop() {
      unread.abort(new HoldfastError('tool.failed', `${call.program} was ended: nobody reads it any more`))
      return finished
    },
  }
  const output = new GatheredOutput(origin, pool)
  const run = async () => {
    const push = (data: Uint8Array) => {
      watch(data)
      return output.push(data)
    }
    const pair = await outputPair(cx.env, push)
    source = pair?.ours
    const started = call.smallWrites === true ? await withLargeWrites(cx.env, call) : call
    const running = startInto(cx, started, pair)
    if (pair === undefined) source = gather(running, push)
    return supervise({ ...cx, signal }, call, running)
  }
  const finished = run()
  settle(finished, output)
  return { stdout: output.stdout, finished }
}

/** The child keeps its end; words that no program can be given must not leave ours open. */
function startInto(cx: Context, call: ToolCall, pair: OutputPair | undefined): Running {
  try {
    return start(cx, call, ['ignore', pair?.theirs ?? 'pipe', 'pipe'], pair?.ours)
  } catch (error) {
    pair?.ours.destroy()
    throw error
  } finally {
    pair?.theirs.destroy()
  }
}

/** Starts a program that is fed through stdin; what it prints on stdout is dropped. */
export function feedTool(cx: Context, call: ToolCall): ToolInput {
  const running = start(cx, call, ['pipe', 'ignore', 'pipe'])
  const finished = supervise(cx, call, running)
  return { stdin: inputOf(running, finished), finished }
}

/** Starts a program that turns what is fed through stdin into what is read from stdout; both keep their promises. */
export function filterTool(cx: Context, call: ToolCall): ToolInput & ToolOutput {
  const running = start(cx, call, ['pipe', 'pipe', 'pipe'])
  const finished = supervise(cx, call, running)
  const output = new GatheredOutput({
    resume: () => running.child.stdout?.resume(),
    stop() {
      stop(running)
      return finished
    },
  })
  gather(running, (data) => output.push(data))
  settle(finished, output)
  return { stdin: inputOf(running, finished), stdout: output.stdout, finished }
}

/** A running program that is talked with. */
export interface ToolTalk extends ToolInput {
  /** What it prints, as it comes. It ends with the program, whether that ended well or not: `finished` knows. */
  readonly stdout: Readable
}

/** Starts a program that answers on stdout what it is asked through stdin. */
export function talkWithTool(cx: Context, call: ToolCall): ToolTalk {
  const running = start(cx, call, ['pipe', 'pipe', 'pipe'])
  const finished = supervise(cx, call, running)
  const stdout = running.child.stdout as Readable
  unheard(stdout)
  return { stdin: inputOf(running, finished), stdout, finished }
}

/** From the pipe that Node has made. */
function gather({ child }: Running, push: (data: Uint8Array) => boolean): Readable {
  const source = child.stdout as Readable
  source.on('data', (data: Buffer) => {
    if (!push(data)) source.pause()
  })
  return source
}

function settle(finished: Promise<ToolReport>, output: GatheredOutput): void {
  finished.then(
    () => output.end(),
    (error: Error) => output.stdout.destroy(error),
  )
}

function inputOf({ child }: Running, finished: Promise<ToolReport>): Writable {
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
      if (error !== null) kill({ child }, 'SIGKILL')
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

interface Running {
  readonly child: Child
  /** Where its stdout arrives, if not in a pipe of Node's. */
  readonly output?: Socket
}

function start(
  cx: Context,
  call: ToolCall,
  stdio: ['ignore' | 'pipe', 'ignore' | 'pipe' | Socket, 'pipe'],
  output?: Socket,
): Running {
  const options = {
    stdio,
    env: childEnvironment(cx.env.variables, call),
    windowsHide: true,
    shell: call.shell ?? false,
    ...(call.workingDirectory === undefined ? {} : { cwd: call.workingDirectory }),
    ...(call.account === undefined ? {} : { uid: call.account.uid, gid: call.account.gid }),
  }
  const child = spawn(call.program, call.args, options) as Child
  return output === undefined ? { child } : { child, output }
}

/** Waits for the program's end; a status other than 0, a signal, a timeout or an abort is an error. */
function supervise(cx: Context, call: ToolCall, running: Running): Promise<ToolReport> {
  const { child, output } = running
  const log = new MessageLog(call.secrets ?? [])
  child.stderr.on('data', (data: Buffer) => log.push(data))
  const finished = new Promise<ToolReport>((resolve, reject) => {
    let timedOut = false
    const timer =
      call.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            stop(running)
          }, call.timeoutMs)
    const abort = () => stop(running)
    const cleanUp = () => {
      clearTimeout(timer)
      cx.signal.removeEventListener('abort', abort)
    }
    if (cx.signal.aborted) stop(running)
    else cx.signal.addEventListener('abort', abort, { once: true })
    child.once('error', (error: NodeJS.ErrnoException) => {
      // After a successful spawn, 'error' means that a signal could not be sent; 'close' still comes.
      if (child.pid !== undefined) return
      cleanUp()
      output?.destroy()
      reject(notStarted(call, error))
    })
    const ended = (status: number | null, signal: NodeJS.Signals | null) => {
      cleanUp()
      output?.destroy()
      const messages = log.lines()
      if (cx.signal.aborted) reject(abortReason(cx.signal))
      else if (timedOut) reject(timeout(call, messages))
      else if (status === 0 && output?.readableEnded === false) reject(lostOutput(call, output.errored))
      else if (status === 0) resolve({ messages })
      else reject(failure(call, status, signal, messages))
    }
    child.once('close', (status, signal) => {
      if (child.pid === undefined) return
      // What it has printed may still be on its way.
      if (status !== 0 || output === undefined || output.closed) ended(status, signal)
      else output.once('close', () => ended(status, signal))
    })
  })
  // Whoever reads the stream sees the error there; `finished` alone must not be an unhandled rejection.
  finished.catch(() => undefined)
  return finished
}

function stop(running: Running): void {
  const { child, output } = running
  if (child.exitCode !== null || child.signalCode !== null) {
    output?.destroy()
    return
  }
  kill(running, 'SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  timer.unref()
  child.once('exit', () => clearTimeout(timer))
}

/** Programs that the program has started may hold its pipes open; nobody waits for what they still say. */
function kill({ child, output }: Running, signal: 'SIGTERM' | 'SIGKILL'): void {
  child.once('exit', () => {
    for (const pipe of [...child.stdio, output]) pipe?.destroy()
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

/** Success is an end of the output, and nothing else that may happen to a connection. */
function lostOutput({ program }: ToolCall, cause: Error | null): HoldfastError {
  return new HoldfastError('tool.failed', `the output of ${program} broke off`, {
    cause,
    details: { program },
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
