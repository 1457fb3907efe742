import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** What every user of the machine, or the user's other programs, can see of a process. */
export interface Sighting {
  /** The name of the program, as its first argument has it. */
  readonly program: string
  readonly cmdline: string
  readonly environ: string
}

/** Looks at a process and all that come of it, over and over until it has ended: `/proc/PID/cmdline` and `/proc/PID/environ`. */
export async function watchProcesses(root: ChildProcess): Promise<readonly Sighting[]> {
  const seen = new Map<string, Sighting>()
  while (root.exitCode === null && root.signalCode === null) {
    for (const pid of descendants(root.pid ?? 0)) {
      const [cmdline, environ] = [textOf(pid, 'cmdline'), textOf(pid, 'environ')]
      // One that has just ended has neither.
      if (cmdline !== '')
        seen.set(`${cmdline}\n${environ}`, { program: programOf(cmdline), cmdline, environ })
    }
    // A core of the machine's is for what is watched; no program of these comes and goes within a millisecond.
    await setTimeout(1)
  }
  return [...seen.values()]
}

/** Node starts programs from its main thread, and so do the tools. */
function descendants(pid: number): readonly number[] {
  const children = textOf(pid, `task/${pid}/children`).split(' ')
  return [pid, ...children.filter((each) => each !== '').flatMap((child) => descendants(Number(child)))]
}

function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function programOf(cmdline: string): string {
  return basename(cmdline.split('\0')[0] ?? '')
}
