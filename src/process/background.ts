import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, writeFile } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { childEnvironment } from './environment.js'
import { processIdentity, recordedStart } from './identity.js'
import type { ToolCall } from './tool.js'

/** A process by its number and by what tells it from a later one with the same number. */
export interface ProcessRecord {
  readonly pid: number
  readonly identity: string
}

/** A program that goes on when this process has ended. */
export interface BackgroundProgram {
  readonly pid: number
  /** Resolves when it has ended, while this process is there to see it. */
  readonly ended: Promise<void>
}

/**
 * Starts a program that is none of this process's: with a session of its own, so that Ctrl-C does not reach it.
 * @param files.log what it prints is added here
 * @param files.record where it is noted; see {@link readRecord}. The program's account must be able to write beside it
 * @throws tool.missing, tool.failed
 */
export async function startInBackground(
  cx: Context,
  call: ToolCall,
  files: { readonly log: string; readonly record: string },
): Promise<BackgroundProgram> {
  const log = await open(files.log, 'a', 0o600)
  try {
    const { platform } = cx.env
    const [program = '', ...args] =
      platform === 'win32'
        ? [call.program, ...call.args]
        : ['/bin/sh', '-c', recordedStart, files.record, call.program, ...call.args]
    const child = spawn(program, args, {
      env: childEnvironment(cx.env.variables, call),
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      windowsHide: true,
      ...(call.workingDirectory === undefined ? {} : { cwd: call.workingDirectory }),
      ...(call.account === undefined ? {} : { uid: call.account.uid, gid: call.account.gid }),
    })
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    await once(child, 'spawn').catch((error: NodeJS.ErrnoException) => {
      throw new HoldfastError('tool.failed', `${call.program} could not be started: ${error.message}`, {
        cause: error,
      })
    })
    child.unref()
    const pid = child.pid as number
    if (platform === 'win32') await writeRecord(files.record, pid)
    return { pid, ended }
  } finally {
    await log.close()
  }
}

async function writeRecord(file: string, pid: number): Promise<void> {
  await writeFile(file, `${pid}\n${(await processIdentity(pid)) ?? ''}\n`, { mode: 0o600 })
}

/** A program of ours that watches over this process: the end of its stdin means that this process is gone. */
export interface Watcher {
  readonly stdin: Writable
  /** Ends its stdin, and waits until it has ended. */
  finish(): Promise<void>
}

export function startWatcher(call: ToolCall, variables: Context['env']['variables']): Watcher {
  const child = spawn(call.program, call.args, {
    env: childEnvironment(variables, call),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    windowsHide: true,
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  child.unref()
  // Neither the program nor the pipe keeps this process running.
  ;(child.stdin as unknown as { unref(): void }).unref()
  return {
    stdin: child.stdin,
    finish: () => {
      child.ref()
      child.stdin.end()
      return ended
    },
  }
}

/** What a file of {@link startInBackground} says; undefined where there is none, or no sense in it. */
export async function readRecord(file: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const [, pid, identity] = /^(\d+)\n(.*)\n/u.exec(text) ?? []
  return pid === undefined || identity === undefined ? undefined : { pid: Number(pid), identity }
}

/** Whether that very process runs, and not a later one with its number. */
export async function runs({ pid, identity }: ProcessRecord): Promise<boolean> {
  return (await processIdentity(pid)) === identity
}
