import { command } from '../command.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import { loadingFlags, loadingRequest, showLoad, type LoadingFlags } from './load-flags.js'
import {
  sourceChanges,
  sourceFlags,
  tableChoice,
  tableFlags,
  type SourceFlags,
  type TableFlags,
} from './table-flags.js'

export const copy = command<TableFlags & SourceFlags & LoadingFlags, readonly string[]>({
  name: 'copy',
  brief: 'copy tables from one database into another, of any engine',
  description: [
    'Streams holdfast dump into holdfast load: one snapshot of the source, one transaction at the target, no file between. What holds for both holds here.',
  ],
  examples: [
    { line: 'holdfast copy production staging', meaning: 'every table; asks first' },
    { line: 'holdfast copy sqlite:./app.db shop --create --yes', meaning: 'move to another engine' },
    { line: "holdfast copy production staging users 'order*'", meaning: 'some tables' },
    { line: 'holdfast copy production dev --subset', meaning: 'the rows of the configured subset' },
  ],
  parameters: {
    flags: { ...tableFlags, ...sourceFlags, ...loadingFlags },
    aliases: { r: 'remain', e: 'errorQuit' },
    positional: {
      kind: 'array',
      parameter: {
        brief:
          'the source, the target (configured names or URLs), then tables or groups  [default: all tables]',
        placeholder: 'from to table',
        parse: String,
      },
      minimum: 2,
    },
  },
  async run(flags, from = '', to = '', ...tables) {
    warnOfPasswords(this, [from, to])
    await withHoldfast(this, flags, async (hf) => {
      const report = await hf.copy({
        ...loadingRequest(this, flags),
        ...tableChoice(flags, tables),
        ...sourceChanges(flags),
        from,
        to,
      })
      showLoad(this, 'copy', report)
    })
  },
})
