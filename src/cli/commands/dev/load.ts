import { command } from '../../command.js'
import {
  filesFlags,
  filesRequest,
  loadingFlags,
  loadingLetters,
  loadingRequest,
  showLoad,
  type FilesFlags,
  type LoadingFlags,
} from '../load-flags.js'
import { tableFlags, tablesArgument } from '../table-flags.js'
import { serverFlags, withDev, type ServerFlags } from './selection.js'

interface Flags extends ServerFlags, FilesFlags, Omit<LoadingFlags, 'confirm' | 'metricsFile'> {}

const { confirm: _, metricsFile: __, ...ownLoadingFlags } = loadingFlags

export const devLoad = command<Flags, readonly string[]>({
  name: 'dev load',
  brief: 'load a portable dump into a development server',
  description: [
    'What holdfast load does, into a development server: all of it in one transaction, or nothing. A server that does not run is started for the while.',
  ],
  examples: [
    { line: 'holdfast dev load -d fixtures --yes', meaning: 'in place of what the tables hold' },
    { line: 'holdfast dev load --create --yes', meaning: 'make the tables, too' },
  ],
  parameters: {
    flags: { ...serverFlags, ...filesFlags, ...tableFlags, ...ownLoadingFlags },
    aliases: loadingLetters,
    positional: { kind: 'array', parameter: tablesArgument },
  },
  run(flags, ...words) {
    const request = { ...loadingRequest(this, flags), ...filesRequest(this, flags, words) }
    return withDev(this, flags, async (dev, which) =>
      showLoad(this, 'dev load', await dev.load({ ...request, ...which })),
    )
  },
})
