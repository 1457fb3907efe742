import { command } from '../../command.js'
import { dumpingFlags, dumpingLetters, dumpingRequest, showDump, type DumpingFlags } from '../dump-flags.js'
import { tablesArgument } from '../table-flags.js'
import { serverFlags, withDev, type ServerFlags } from './selection.js'

interface Flags extends ServerFlags, DumpingFlags {}

export const devDump = command<Flags, readonly string[]>({
  name: 'dev dump',
  brief: 'write the tables of a development server as files',
  description: [
    'What holdfast dump does, for a development server: one file a table, a row a line, which can be compared, edited and loaded again. A server that does not run is started for the while.',
  ],
  examples: [
    { line: 'holdfast dev dump', meaning: 'every table, into ./datadir' },
    { line: 'holdfast dev dump users orders -d fixtures', meaning: 'two tables' },
  ],
  parameters: {
    flags: { ...serverFlags, ...dumpingFlags },
    aliases: dumpingLetters,
    positional: { kind: 'array', parameter: tablesArgument },
  },
  run(flags, ...tables) {
    const { compress: _, ...server } = flags
    const request = dumpingRequest(this, flags, tables)
    return withDev(this, server, async (dev, which) =>
      showDump(this, 'dev dump', flags, await dev.dump({ ...request, ...which })),
    )
  },
})
