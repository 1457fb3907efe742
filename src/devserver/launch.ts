import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DevServerDriver, DevServerSite } from '../engine/dev-server.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { readRecord, runs, startInBackground, type ProcessRecord } from '../process/background.js'
import { saysDiskFull } from './disk-full.js'
import { beginLog, tailOfLog } from './log-file.js'
import { callOf } from './site.js'

const shownLines = 20
const firstPauseMs = 10
const longestPauseMs = 100
/** A server with much in memory writes for a while before it ends. */
const stopMs = 60_000
const killMs = 5_000

export function recordFile(folder: string): string {
  return join(folder, 'server.pid')
}

/** The server of a folder, where it runs. A pid that means another process by now is none. */
export async function runningServer(folder: string): Promise<ProcessRecord | undefined> {
  const record = await readRecord(recordFile(folder))
  return record !== undefined && (await runs(record)) ? record : undefined
}

/** Removes what a server that was killed, or a machine that was, has left behind. */
export async function clearStale(driver: DevServerDriver, site: DevServerSite): Promise<void> {
  const record = await readRecord(recordFile(site.folder))
  if (record === undefined) return
  await driver.clearStale?.(site, record.pid)
  await rm(recordFile(site.folder), { force: true })
}

interface Waiting {
  readonly timeoutMs: number
  /** On the first start: told when the server has been settled. */
  readonly first: (() => Promise<void>) | undefined
}

/**
 * Starts the server and waits until a real query has been answered.
 * @param started told as soon as the process is there
 * @throws devserver.not-started with the end of its log, storage.full, tool.missing; the server is ended then
 */
export async function launch(
  cx: Context,
  driver: DevServerDriver,
  site: DevServerSite,
  waiting: Waiting & { readonly started: () => void },
): Promise<void> {
  const from = await beginLog(site.logFile)
  const command = driver.command?.(site)
  try {
    if (command === undefined) return await answered(cx, driver, site, waiting, () => Promise.resolve(true))
    await driver.prepare?.(cx, site)
    const files = { log: site.logFile, record: recordFile(site.folder) }
    const program = await startInBackground(cx, callOf(site, command), files)
    let isUp = true
    void program.ended.then(() => {
      isUp = false
    })
    waiting.started()
    await answered(cx, driver, site, waiting, () => Promise.resolve(isUp))
  } catch (error) {
    await stopServer(site.folder, 'SIGKILL')
    cx.signal.throwIfAborted()
    throw await notStarted(site, error, from)
  }
}

/** Waits for a server that has been started already, which goes on running where that fails. @throws devserver.not-started */
export async function untilReady(
  cx: Context,
  driver: DevServerDriver,
  site: DevServerSite,
  { server, ...waiting }: Waiting & { readonly server: ProcessRecord },
): Promise<void> {
  try {
    await answered(cx, driver, site, waiting, () => runs(server))
  } catch (error) {
    cx.signal.throwIfAborted()
    throw await notStarted(site, error, 0)
  }
}

async function answered(
  cx: Context,
  driver: DevServerDriver,
  site: DevServerSite,
  { timeoutMs, first }: Waiting,
  isUp: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  if (first !== undefined) {
    await repeated(cx, deadline, isUp, async () => driver.settle?.(cx, site))
    await first()
  }
  await repeated(cx, deadline, isUp, () => driver.ask(cx, site))
}

async function repeated(
  cx: Context,
  deadline: number,
  isUp: () => Promise<boolean>,
  ask: () => Promise<unknown>,
): Promise<void> {
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.2, longestPauseMs)) {
    cx.signal.throwIfAborted()
    let last: unknown
    try {
      await ask()
      return
    } catch (error) {
      last = error
    }
    if (!(await isUp())) throw new Error('it ended while it was starting')
    if (performance.now() > deadline)
      throw new Error(`it gave no answer in time: ${(last as Error).message}`, { cause: last })
    await delay(pause)
  }
}

async function notStarted(site: DevServerSite, thrown: unknown, from: number): Promise<HoldfastError> {
  const { engine, name, folder, logFile } = site
  const log = await tailOfLog(logFile, shownLines, from)
  const said =
    log.length === 0
      ? 'its log is empty'
      : `the end of its log:\n${log.map((line) => `  ${line}`).join('\n')}`
  const message = `${engine} ${name} did not start: ${(thrown as Error).message}; ${said}`
  const details = { log, logFile }
  return log.some(saysDiskFull)
    ? new HoldfastError('storage.full', `there is no space left for ${folder}; ${message}`, {
        cause: thrown,
        details,
      })
    : new HoldfastError('devserver.not-started', message, { cause: thrown, details })
}

/**
 * Ends the server of a folder, where it runs: with the signal, and with SIGKILL where it does not heed that.
 * @returns whether there was one
 * @throws devserver.not-stopped
 */
export async function stopServer(folder: string, signal: NodeJS.Signals): Promise<boolean> {
  const server = await runningServer(folder)
  if (server !== undefined) await endProcess(server, signal)
  await rm(recordFile(folder), { force: true })
  return server !== undefined
}

async function endProcess(server: ProcessRecord, signal: NodeJS.Signals): Promise<void> {
  for (const [each, waitMs] of [
    [signal, stopMs],
    ['SIGKILL', killMs],
  ] as const) {
    try {
      process.kill(server.pid, each)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
      throw new HoldfastError('devserver.no-access', `process ${server.pid} belongs to another account`, {
        cause: error,
      })
    }
    const until = performance.now() + waitMs
    for (let pause = 5; performance.now() < until; pause = Math.min(pause * 1.5, longestPauseMs)) {
      if (!(await runs(server))) return
      await delay(pause)
    }
  }
  throw new HoldfastError('devserver.not-stopped', `process ${server.pid} does not end`)
}
