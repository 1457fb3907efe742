import { HoldfastError } from '../../errors.js'
import type { DumpReport } from '../../operations/portable-reports.js'
import type { CommandLine } from '../command.js'
import { text, toggle } from '../flags.js'
import { dumpDocument } from '../render/json/dump.js'
import { renderDump } from '../render/text/dump.js'
import { standardOutput } from '../standard-output.js'
import {
  sourceChanges,
  sourceFlags,
  tableChoice,
  tableFlags,
  type SourceFlags,
  type TableFlags,
} from './table-flags.js'

/** How rows become files: flags that `dump` and `dev dump` share. */
export interface DumpingFlags extends TableFlags, SourceFlags {
  readonly dir?: string
  readonly output?: string
  readonly stdout?: boolean
  readonly compress?: string
  readonly errorQuit?: boolean
}

export const dumpingFlags = {
  output: text(
    'PATH',
    'a folder, a file that ends in .ndjson, .ndjson.zst or .tar, or - for stdout  [default: datadir]',
  ),
  dir: text('FOLDER', 'the same, for a folder'),
  stdout: toggle('the same as --output -'),
  ...tableFlags,
  ...sourceFlags,
  compress: text(
    'METHOD',
    'zstd[:1-19], gzip[:1-9] or none  [default: what the name of a file says, else none, so that files can be edited]',
  ),
  errorQuit: toggle('changes nothing, and is there for scripts: a dump always stops at the first error'),
} as const

export const dumpingLetters = { o: 'output', d: 'dir', s: 'stdout', e: 'errorQuit' } as const

/** @throws usage.invalid for several outputs */
export function dumpingRequest(cli: CommandLine, flags: DumpingFlags, tables: readonly string[]) {
  const output = outputOf(flags)
  const { compress } = flags
  return {
    signal: cli.signal,
    ...(output === undefined ? {} : { output: output === '-' ? standardOutput(cli, 'dump') : output }),
    ...(compress === undefined ? {} : { compress }),
    ...tableChoice(flags, tables),
    ...sourceChanges(flags),
  }
}

export function showDump(
  { reporter, globals }: CommandLine,
  name: string,
  flags: DumpingFlags,
  report: DumpReport,
): void {
  const { verbose } = globals
  if (outputOf(flags) === '-') reporter.note((style) => renderDump(report, style, undefined, verbose))
  else
    reporter.done(name, dumpDocument(report), (style, columns) => renderDump(report, style, columns, verbose))
}

function outputOf({ output, dir, stdout }: DumpingFlags): string | undefined {
  const given = [output, dir, stdout === true ? '-' : undefined].filter((each) => each !== undefined)
  if (given.length > 1)
    throw new HoldfastError(
      'usage.invalid',
      '--output, --dir and --stdout are one and the same: give one of them',
    )
  return given[0]
}
