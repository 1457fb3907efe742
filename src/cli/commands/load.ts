import { HoldfastError } from '../../errors.js'
import { command } from '../command.js'
import { text } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import {
  filesFlags,
  filesRequest,
  loadingFlags,
  loadingLetters,
  loadingRequest,
  showLoad,
  type FilesFlags,
  type LoadingFlags,
} from './load-flags.js'
import { tableFlags, tablesArgument } from './table-flags.js'

interface LoadFlags extends FilesFlags, LoadingFlags, KeyFlags {
  readonly database?: string
  readonly fromBackup?: string
  readonly fromDatabase?: string
  readonly storage?: string
}

export const load = command<LoadFlags, readonly string[]>({
  name: 'load',
  brief: 'load a portable dump, all of it or nothing',
  description: [
    'Loads what holdfast dump has written, on any engine, in one transaction: parents first, keys and references checked at the end, then what was loaded is read back and compared. If a row fails, the target is as it was, and the error names the file and the line.',
    'Only columns that the target has are loaded. Renames, defaults and rules come from the files, the configuration and the models; what has no place is refused, unless --ignore-unknown leaves it out. A file that was edited is refused until --accept-edits is given, or holdfast reseal has made it valid again.',
    '-s is --dry-run, for those who come from the script dumpdb, where it ran nothing either.',
    'With --from, the first argument is a folder of the Django script dumpdb, or a fixture of Django (JSON, or lines of JSON).',
  ],
  examples: [
    { line: 'holdfast load', meaning: 'every table of ./datadir' },
    { line: 'holdfast load users -d fixtures --dry-run', meaning: 'say what would be done' },
    { line: 'holdfast load --database sqlite:./new.db --create --yes', meaning: 'make the tables, too' },
    { line: 'holdfast load --mode update', meaning: 'change and add, delete nothing' },
    { line: 'holdfast load --from-backup latest --yes', meaning: 'out of a backup' },
    { line: 'holdfast load --from django fixture.json --yes', meaning: 'what dumpdata has written' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'the configured database, or a URL, to load into  [default: the only one]'),
      ...filesFlags,
      fromBackup: text(
        'BACKUP',
        'the portable dump of a backup, by its id or a prefix of it, or latest; see backup --also-portable',
      ),
      fromDatabase: text('NAME', 'with --from-backup latest: whose backup  [default: that of the target]'),
      storage: text('NAME', 'with --from-backup: the storage to look in, or a folder  [default: all]'),
      ...keyFlags,
      ...tableFlags,
      ...loadingFlags,
    },
    aliases: loadingLetters,
    positional: { kind: 'array', parameter: tablesArgument },
  },
  async run(flags, ...words) {
    const { database, fromBackup, fromDatabase } = flags
    const files = filesRequest(this, flags, words)
    for (const [name, value] of Object.entries({
      '--storage': flags.storage,
      '--from-database': fromDatabase,
    }))
      if (value !== undefined && fromBackup === undefined)
        throw new HoldfastError('usage.invalid', `${name} goes with --from-backup alone`)
    warnOfPasswords(this, [database])
    await withHoldfast(this, flags, async (hf, where) => {
      const report = await hf.load({
        ...loadingRequest(this, flags),
        ...files,
        ...where,
        ...(fromBackup === undefined ? {} : { fromBackup }),
        ...(fromDatabase === undefined ? {} : { fromDatabase }),
        ...(database === undefined ? {} : { database }),
      })
      showLoad(this, 'load', report)
    })
  },
})
