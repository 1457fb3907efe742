import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { filterTool } from '../process/run.js'
import { connect } from '../streams/connect.js'
import type { HookEvents, HookName } from './events.js'

const mostOutput = 64 * 1024

/**
 * Runs a line of the system's shell with the event as JSON on its stdin. What it prints is shown as notices.
 * @throws tool.failed for a status other than 0; the signal's reason when aborted
 */
export async function runShellCommand<Name extends HookName>(
  cx: Context,
  line: string,
  name: Name,
  event: HookEvents[Name],
): Promise<void> {
  const { stdin, stdout, finished } = filterTool(cx, {
    program: line,
    args: [],
    shell: true,
    env: eventVariables(name, event),
  })
  const [output, { messages }] = await Promise.all([
    textOf(stdout),
    finished,
    connect([Readable.from([Buffer.from(JSON.stringify(event))]), stdin], cx.signal),
  ])
  const lines = [...output.split('\n'), ...messages].filter((said) => said.trim() !== '')
  for (const said of lines) cx.emit({ type: 'notice', level: 'info', message: `hook ${name}: ${said}` })
}

async function textOf(stdout: Readable): Promise<string> {
  const kept: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    // The chunk's memory is used again.
    if (bytes < mostOutput) kept.push(Buffer.from(chunk.subarray(0, mostOutput - bytes)))
    bytes += chunk.length
  }
  return Buffer.concat(kept).toString('utf8')
}

/**
 * `HOLDFAST_EVENT` is the event's name; its fields follow as `HOLDFAST_EVENT_FILENAME`, those of the database as
 * `HOLDFAST_EVENT_DATABASE_ALIAS`. Lists and the manifest are in the JSON alone.
 */
export function eventVariables<Name extends HookName>(
  name: Name,
  event: HookEvents[Name],
): Record<string, string> {
  const variables: Record<string, string> = { HOLDFAST_EVENT: name }
  const add = (prefix: string, fields: object) => {
    for (const [key, value] of Object.entries(fields) as [string, unknown][]) {
      const variable = `${prefix}_${key.replace(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase()}`
      if (['string', 'number', 'boolean'].includes(typeof value)) {
        // No variable can hold a NUL.
        variables[variable] = String(value).replaceAll('\0', '')
      } else if (key === 'database') add(variable, value as object)
    }
  }
  add('HOLDFAST_EVENT', event)
  return variables
}
