import type { LoadMode } from '../../engine/row-sink.js'
import { HoldfastError } from '../../errors.js'
import type { LoadReport } from '../../operations/portable-reports.js'
import type { CommandLine } from '../command.js'
import { declined } from '../confirmation.js'
import { metricsFile, oneOf, text, texts, toggle } from '../flags.js'
import { askText, askYesNo, canAsk } from '../prompt.js'
import { loadDocument } from '../render/json/load.js'
import { renderLoad, renderLoadPlan } from '../render/text/load.js'
import { printable } from '../terminal.js'
import { pairs, tableChoice, type TableFlags } from './table-flags.js'

/** How rows come into a database: flags that `load` and `copy` share. */
export interface LoadingFlags {
  readonly mode?: LoadMode
  readonly remain?: boolean
  readonly errorQuit?: boolean
  readonly dryRun?: boolean
  readonly ignoreUnknown?: boolean
  readonly create?: boolean
  readonly acceptLossy?: boolean
  readonly noCheck?: boolean
  readonly force?: boolean
  readonly rename?: readonly string[]
  readonly yes?: boolean
  readonly confirm?: string
  readonly metricsFile?: string
}

export const loadingFlags = {
  mode: oneOf<LoadMode>(
    ['replace', 'append', 'skip', 'update', 'sync'],
    'empty the tables first; add rows; add those whose key is not there; change those whose key is there; change, add and delete  [default: replace]',
  ),
  remain: toggle('keep the rows that are there: the same as --mode append'),
  errorQuit: toggle('stop at the first cell that does not fit, rather than name all of them'),
  dryRun: toggle('read everything, say what would be done, change nothing'),
  ignoreUnknown: toggle('leave out tables and columns that the target does not have'),
  create: toggle('make tables that the target does not have'),
  acceptLossy: toggle('load although the target cannot hold all that the dump says'),
  noCheck: toggle('do not read back and compare what was loaded'),
  force: toggle('load although the migrations of the target are behind, or differ'),
  rename: texts('TABLE.COLUMN=NAME', 'a column of the target, and its name in the dump; may be repeated'),
  yes: toggle('do not ask'),
  confirm: text('DATABASE', 'the name of a protected database, in place of typing it'),
  metricsFile,
}

/** Which files are loaded: flags that `load` and `dev load` share. */
export interface FilesFlags extends TableFlags {
  readonly input?: string
  readonly dir?: string
  readonly from?: 'dumpdb' | 'django'
  readonly acceptEdits?: boolean
}

export const filesFlags = {
  input: text('PATH', 'a folder, a file, or - for stdin  [default: datadir]'),
  dir: text('FOLDER', 'the same, for a folder'),
  from: oneOf<'dumpdb' | 'django'>(['dumpdb', 'django'], 'what another tool has written'),
  acceptEdits: toggle('take files that were edited after they were written'),
} as const

export const loadingLetters = { i: 'input', d: 'dir', r: 'remain', e: 'errorQuit', s: 'dryRun' } as const

export function filesRequest(cli: CommandLine, flags: FilesFlags, words: readonly string[]) {
  const { from, acceptEdits } = flags
  const { input, tables } = inputOf(flags, words)
  return {
    ...tableChoice(flags, tables),
    ...(input === undefined ? {} : { input: input === '-' ? cli.stdin : input }),
    ...(from === undefined ? {} : { from }),
    ...(acceptEdits === undefined ? {} : { acceptEdits }),
  }
}

/** With `--from` the first word is the folder or file, unless a flag says it. */
function inputOf(
  { input, dir, from }: FilesFlags,
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

/** @throws usage.invalid for a mode and --remain that disagree */
export function loadingRequest(cli: CommandLine, flags: LoadingFlags) {
  const { mode, remain, errorQuit, dryRun, ignoreUnknown, create, acceptLossy, noCheck, force } = flags
  const { rename, yes, confirm: confirmName } = flags
  if (remain === true && mode !== undefined && mode !== 'append')
    throw new HoldfastError('usage.invalid', `--remain is --mode append, and --mode ${mode} is given too`)
  const wanted = remain === true ? 'append' : mode
  return {
    signal: cli.signal,
    confirm: yes === true ? true : (plan: LoadReport) => confirmed(cli, plan, confirmName),
    ...(wanted === undefined ? {} : { mode: wanted }),
    ...(errorQuit === undefined ? {} : { errorQuit }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(ignoreUnknown === undefined ? {} : { ignoreUnknown }),
    ...(create === undefined ? {} : { create }),
    ...(acceptLossy === undefined ? {} : { acceptLossy }),
    ...(noCheck === true ? { check: false } : {}),
    ...(force === undefined ? {} : { force }),
    ...(rename === undefined ? {} : { rename: pairs(rename, '--rename', 'TABLE.COLUMN=NAME') }),
    ...(confirmName === undefined ? {} : { confirmName }),
  }
}

export function showLoad(
  { reporter, globals }: CommandLine,
  name: 'load' | 'copy' | 'dev load',
  report: LoadReport,
): void {
  reporter[report.loaded ? 'done' : 'answer'](name, loadDocument(report), (style, columns) =>
    renderLoad(report, style, columns, globals.verbose),
  )
}

/** Shows what is going to happen, and asks. */
async function confirmed(
  cli: CommandLine,
  plan: LoadReport,
  confirmName: string | undefined,
): Promise<boolean> {
  const { terminal } = cli.reporter
  cli.reporter.progress.clear()
  terminal.note(`${renderLoadPlan(plan, terminal.noteStyle)}\n`)
  // The operation has compared it with the name of a protected database already.
  if (confirmName === plan.databaseName) return true
  if (!canAsk(cli)) throw notAsked(plan)
  if (!plan.protected) {
    if (await askYesNo(cli, `Load into ${printable(plan.place)}?`)) return true
    throw declined('not loaded')
  }
  const typed = await askText(
    cli,
    `${printable(plan.target)} is protected. Type ${printable(plan.databaseName)} to load into it:`,
  )
  if (typed === plan.databaseName) return true
  throw new HoldfastError(
    'refused.protected',
    `${plan.target} is protected, and what was typed is not its name`,
  )
}

function notAsked(plan: LoadReport): HoldfastError {
  return plan.protected
    ? new HoldfastError(
        'refused.protected',
        `${plan.target} is protected, and nobody is there to type its name`,
        { hint: `pass --yes --confirm ${plan.databaseName}` },
      )
    : new HoldfastError('refused.not-confirmed', `nobody is there to confirm the load into ${plan.place}`, {
        hint: 'pass --yes where there is no terminal',
      })
}
