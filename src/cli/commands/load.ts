import { HoldfastError } from '../../errors.js'
import { command } from '../command.js'
import { oneOf, text, toggle } from '../flags.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import { loadingFlags, loadingRequest, showLoad, type LoadingFlags } from './load-flags.js'
import { tableChoice, tableFlags, tablesArgument, type TableFlags } from './table-flags.js'

interface LoadFlags extends TableFlags, LoadingFlags {
  readonly database?: string
  readonly input?: string
  readonly dir?: string
  readonly from?: 'dumpdb' | 'django'
  readonly acceptEdits?: boolean
}

export const load = command<LoadFlags, readonly string[]>({
  name: 'load',
  brief: 'load a portable dump, all of it or nothing',
  description: [
    'Loads what holdfast dump has written, on any engine, in one transaction: parents first, keys and references checked at the end, then what was loaded is read back and compared. If a row fails, the target is as it was, and the error names the file and the line.',
    'Only columns that the target has are loaded. Renames, defaults and rules come from the files, the configuration and the models; what has no place is refused, unless --ignore-unknown leaves it out. A file that was edited is refused until --accept-edits is given, or holdfast reseal has written its footer anew.',
    'As in the script dumpdb, -s runs nothing: it printed the statements, and says here what would be done.',
    'With --from, the first argument is a folder of the Django script dumpdb, or a fixture of Django (JSON, or lines of JSON).',
  ],
  examples: [
    { line: 'holdfast load', meaning: 'every table of ./datadir' },
    { line: 'holdfast load users -d fixtures --dry-run', meaning: 'say what would be done' },
    { line: 'holdfast load --database sqlite:./new.db --create --yes', meaning: 'make the tables, too' },
    { line: 'holdfast load --mode update', meaning: 'change and add, delete nothing' },
    { line: 'holdfast load --from django fixture.json --yes', meaning: 'what dumpdata has written' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'the configured database, or a URL, to load into  [default: the only one]'),
      input: text('PATH', 'a folder, a file, or - for stdin  [default: datadir]'),
      dir: text('FOLDER', 'the same, for a folder'),
      from: oneOf<'dumpdb' | 'django'>(['dumpdb', 'django'], 'what another tool has written'),
      ...tableFlags,
      ...loadingFlags,
      acceptEdits: toggle('take files that were edited after they were written'),
    },
    aliases: { i: 'input', d: 'dir', r: 'remain', e: 'errorQuit', s: 'dryRun' },
    positional: { kind: 'array', parameter: tablesArgument },
  },
  async run(flags, ...words) {
    const { database, from, acceptEdits } = flags
    const { input, tables } = inputOf(flags, words)
    warnOfPasswords(this, [database])
    await withHoldfast(this, flags, async (hf) => {
      const report = await hf.load({
        ...loadingRequest(this, flags),
        ...tableChoice(flags, tables),
        ...(database === undefined ? {} : { database }),
        ...(input === undefined ? {} : { input: input === '-' ? this.stdin : input }),
        ...(from === undefined ? {} : { from }),
        ...(acceptEdits === undefined ? {} : { acceptEdits }),
      })
      showLoad(this, 'load', report)
    })
  },
})

/** With `--from` the first word is the folder or file, unless a flag says it. */
function inputOf(
  { input, dir, from }: LoadFlags,
  words: readonly string[],
): { readonly input: string | undefined; readonly tables: readonly string[] } {
  if (input !== undefined && dir !== undefined)
    throw new HoldfastError('usage.invalid', '--input and --dir are one and the same: give one of them')
  const given = input ?? dir
  if (from === undefined || given !== undefined) return { input: given, tables: words }
  const [path, ...tables] = words
  if (path === undefined)
    throw new HoldfastError('usage.invalid', `--from ${from} needs the folder or file to read`)
  return { input: path, tables }
}
