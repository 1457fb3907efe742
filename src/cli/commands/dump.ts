import { HoldfastError } from '../../errors.js'
import { command } from '../command.js'
import { metricsFile, text, toggle } from '../flags.js'
import { dumpDocument } from '../render/json/dump.js'
import { renderDump } from '../render/text/dump.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import { standardOutput } from '../standard-output.js'
import {
  sourceChanges,
  sourceFlags,
  tableChoice,
  tableFlags,
  tablesArgument,
  type SourceFlags,
  type TableFlags,
} from './table-flags.js'

interface DumpFlags extends TableFlags, SourceFlags {
  readonly database?: string
  readonly dir?: string
  readonly output?: string
  readonly stdout?: boolean
  readonly compress?: string
  readonly errorQuit?: boolean
  readonly metricsFile?: string
}

export const dump = command<DumpFlags, readonly string[]>({
  name: 'dump',
  brief: 'write tables as files that can be read, edited and loaded',
  description: [
    'Writes one file a table, a row a line, into a folder: out of one snapshot, parents before children. The files can be compared, edited and loaded into any engine with holdfast load; nothing in them is ever executed. It moves data; a backup, with all that a database has beside its rows, is made by holdfast backup.',
    'With --output FILE.ndjson, or - for stdout, all tables go into one stream. What a failed dump wrote is removed, and an earlier dump stays as it was.',
  ],
  examples: [
    { line: 'holdfast dump', meaning: 'every table, into ./datadir' },
    { line: 'holdfast dump users orders -d fixtures', meaning: 'two tables' },
    { line: 'holdfast dump --group shop --compress zstd', meaning: 'a group of the configuration' },
    { line: 'holdfast dump --where "users=id < 100" -o - > users.ndjson', meaning: 'some rows, to stdout' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'the configured database, or a URL  [default: the only one]'),
      output: text('PATH', 'a folder, a file that ends in .ndjson, or - for stdout  [default: datadir]'),
      dir: text('FOLDER', 'the same, for a folder'),
      stdout: toggle('the same as --output -'),
      ...tableFlags,
      ...sourceFlags,
      compress: text(
        'METHOD',
        'zstd[:1-19], gzip[:1-9] or none  [default: none, so that files can be edited]',
      ),
      errorQuit: toggle('stop at the first error, which a dump always does'),
      metricsFile,
    },
    aliases: { o: 'output', d: 'dir', s: 'stdout', e: 'errorQuit' },
    positional: { kind: 'array', parameter: tablesArgument },
  },
  async run({ compress, ...flags }, ...tables) {
    const output = outputOf(flags)
    warnOfPasswords(this, [flags.database])
    await withHoldfast(this, flags, async (hf) => {
      const report = await hf.dump({
        signal: this.signal,
        ...(flags.database === undefined ? {} : { database: flags.database }),
        ...(output === undefined ? {} : { output: output === '-' ? standardOutput(this, 'dump') : output }),
        ...(compress === undefined ? {} : { compress }),
        ...tableChoice(flags, tables),
        ...sourceChanges(flags),
      })
      const { verbose } = this.globals
      if (output === '-') this.reporter.note((style) => renderDump(report, style, undefined, verbose))
      else
        this.reporter.done('dump', dumpDocument(report), (style, columns) =>
          renderDump(report, style, columns, verbose),
        )
    })
  },
})

function outputOf({ output, dir, stdout }: DumpFlags): string | undefined {
  const given = [output, dir, stdout === true ? '-' : undefined].filter((each) => each !== undefined)
  if (given.length > 1)
    throw new HoldfastError(
      'usage.invalid',
      '--output, --dir and --stdout are one and the same: give one of them',
    )
  return given[0]
}
