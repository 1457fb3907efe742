import { command } from '../command.js'
import { metricsFile, text } from '../flags.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import { dumpingFlags, dumpingLetters, dumpingRequest, showDump, type DumpingFlags } from './dump-flags.js'
import { tablesArgument } from './table-flags.js'

interface DumpFlags extends DumpingFlags {
  readonly database?: string
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
      ...dumpingFlags,
      metricsFile,
    },
    aliases: dumpingLetters,
    positional: { kind: 'array', parameter: tablesArgument },
  },
  async run(flags, ...tables) {
    const { database, compress: _, ...settings } = flags
    const request = dumpingRequest(this, flags, tables)
    warnOfPasswords(this, [database])
    await withHoldfast(this, settings, async (hf) => {
      const report = await hf.dump({ ...request, ...(database === undefined ? {} : { database }) })
      showDump(this, 'dump', flags, report)
    })
  },
})
