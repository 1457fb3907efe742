import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { needsAll, needsTool } from '../servers/needs.js'
import { built, program } from './command-line.js'

/** A terminal, which the program `script` of util-linux makes; its namesake on other systems takes other arguments. */
export const terminal = needsAll(
  built,
  needsTool(process.platform === 'linux' ? 'script' : 'script of util-linux'),
)

export interface Typing {
  /** Typed when the screen shows this. */
  readonly when: string
  readonly type: string
}

/** Everything that appears on a terminal of 100 columns while a command runs on it. */
export async function onTerminal(
  args: string,
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
  ...typings: readonly Typing[]
): Promise<string> {
  const command = `stty cols 100; '${process.execPath}' '${program}' ${args}; echo "exit $?"`
  const env = { PATH: process.env['PATH'], TERM: 'xterm-256color', ...variables }
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd, env })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const waiting = [...typings]
  let shown = ''
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString()
    const [next] = waiting
    if (next === undefined || !shown.includes(next.when)) return
    waiting.shift()
    child.stdin.write(next.type)
  })
  await once(child, 'close')
  return shown
}
