import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Env } from '../env/env.js'
import type { ToolCall } from './tool.js'

/** A dump of 2 GB is then 8 000 writes in place of 500 000; larger ones gain nothing more. */
const bufferBytes = 256 * 1024

/**
 * The call of a program of C's that writes through a stream of its library, with a larger buffer for it: such a program writes
 * 4 KiB at a time into a pipe or socket, and that takes it a quarter of its time. See docs/decisions/chunks.md.
 *
 * @returns the call as it is where the machine has no GNU `stdbuf`, or not the program, whose absence is then told as ever
 */
export async function withLargeWrites(env: Env, call: ToolCall): Promise<ToolCall> {
  if (env.platform !== 'linux' || call.shell === true) return call
  const path = call.env?.['PATH'] ?? env.variables['PATH']
  const [stdbuf, program] = await Promise.all([programPath('stdbuf', path), programPath(call.program, path)])
  if (stdbuf === undefined || program === undefined) return call
  return { ...call, program: stdbuf, args: [`--output=${bufferBytes}`, call.program, ...call.args] }
}

async function programPath(name: string, path = ''): Promise<string | undefined> {
  const candidates = name.includes('/') ? [name] : path.split(delimiter).map((folder) => join(folder, name))
  for (const candidate of candidates) {
    const runs = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return candidate
  }
  return undefined
}
