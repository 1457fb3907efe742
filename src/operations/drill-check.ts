import type { Context } from '../env/context.js'
import { redactAll, secretsIn } from '../env/redaction.js'
import { HoldfastError } from '../errors.js'
import { runShellLine } from '../process/shell-line.js'
import type { Manifest } from '../catalog/manifest.js'
import { compareCopy } from './drill-copy.js'
import type { DrillPlace } from './drill-server.js'
import type { DrillCheck } from './drill-results.js'
import type { Comparison, Difference } from './reports.js'
import { notice, type Workspace } from './workspace.js'

/**
 * Lets a command of the user's look at the copy, and looks what it has done to it.
 * @param before how the copy compared when it was restored
 */
export async function runCheck(
  cx: Context,
  workspace: Workspace,
  command: string,
  manifest: Manifest,
  place: DrillPlace,
  before: Comparison | undefined,
): Promise<DrillCheck> {
  const { clock, workingDirectory } = cx.env
  notice(workspace, 'info', `${manifest.id}: checking with ${command}`)
  const started = clock.now().getTime()
  const { output, ...ending } = await runShellLine(cx, {
    line: command,
    env: { DATABASE_URL: place.url.reveal() },
    workingDirectory,
  })
  const seconds = (clock.now().getTime() - started) / 1000
  const after = before === undefined ? undefined : await compareCopy(cx, manifest, place)
  return {
    command: withoutSecrets(command, place),
    ...ending,
    seconds,
    output: withoutSecrets(output, place),
    changes: newDifferences(before, after),
  }
}

/** A text for the report: without the password of the copy, and whatever else can be seen to be a credential. */
export function withoutSecrets(text: string, { target }: DrillPlace): string {
  return redactAll(text, secretsIn(target.connection))
}

function newDifferences(before?: Comparison, after?: Comparison): readonly Difference[] {
  const known = new Set((before?.differences ?? []).map((each) => JSON.stringify(each)))
  return (after?.differences ?? []).filter((each) => !known.has(JSON.stringify(each)))
}

/** @returns what is wrong with it; undefined for status 0 */
export function checkError(
  { id }: Manifest,
  { command, status, signal }: DrillCheck,
): HoldfastError | undefined {
  if (status === 0) return undefined
  const how = status === undefined ? `was ended by ${signal ?? 'a signal'}` : `ended with status ${status}`
  return new HoldfastError('drill.check-failed', `the check ${command} ${how}`, { details: { id } })
}
