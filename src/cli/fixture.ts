import { PassThrough, Writable } from 'node:stream'
import { nodeEnv } from '../env/node-env.js'
import type { Env } from '../env/env.js'
import { run, type CommandMachine } from './run.js'

/** For the tests of this room: a stream that remembers what was written to it. */
export class Recorder extends Writable {
  text = ''
  readonly isTTY: boolean
  readonly columns = 100

  constructor(isTTY = false) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line in this process, without a terminal. */
export async function runHere(argv: readonly string[], env: Partial<Env> = {}): Promise<Ran> {
  const stdout = new Recorder()
  const stderr = new Recorder()
  const machine: CommandMachine = {
    env: { ...nodeEnv(), variables: {}, ...env },
    stdin: new PassThrough(),
    stdout,
    stderr,
    signals: { on: () => undefined },
    exitNow: () => {
      throw new Error('nothing ends the process here')
    },
  }
  const code = await run(argv, machine)
  return { code, stdout: stdout.text, stderr: stderr.text }
}
