import { scalarOptions } from '../config/options.js'
import { holdfastVersion } from '../version.js'
import { flagName, type DocumentedCommand, type ParameterDocs } from './command.js'
import { globalFlags } from './global-flags.js'
import { wrap } from './render/text/wrap.js'
import type { Style } from './terminal.js'

const exitCodes: readonly (readonly [number | string, string])[] = [
  [0, 'done'],
  [1, 'unexpected'],
  [2, 'usage or configuration'],
  [3, 'partial: some done, some failed'],
  [4, 'database unreachable or refused'],
  [5, 'a tool missing, too old or failed'],
  [6, 'storage'],
  [7, 'integrity or verification failed'],
  [8, 'refused: not confirmed, protected, a hook'],
  [9, 'locked by another run'],
  ['130, 143', 'interrupted'],
]

/** Beside what each command's own options say. */
const environment: Rows = [
  ['DATABASE_URL', 'the database "default", where no database is configured'],
  ['HOLDFAST_CONFIG', 'the configuration file'],
  ...Object.values(scalarOptions).map(({ variable, meaning }) => [variable, meaning] as const),
  ['HOLDFAST_IDENTITY', 'a private key to read backups with'],
  ['HOLDFAST_PASSPHRASE', 'a passphrase to read backups with'],
  ['…_FILE', 'any of these with _FILE names a file that holds the value; HOLDFAST_CONFIG is a path already'],
]

const start: DocumentedCommand['examples'] = [
  { line: 'holdfast init', meaning: 'write a configuration from what is found here' },
  { line: 'holdfast doctor', meaning: 'check that everything a backup needs is there' },
  { line: 'holdfast backup', meaning: 'back up every configured database' },
  { line: 'holdfast backup sqlite:./app.db', meaning: 'or one database, without configuration' },
]

/** The list of all commands, by what they are for. What is named nowhere is in the last. */
const purposes: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Backups', ['init', 'doctor', 'backup', 'restore', 'list', 'show', 'verify', 'diff', 'prune']],
  ['Files of an application', ['files backup', 'files restore', 'files list']],
  ['Rows as files', ['dump', 'load', 'copy', 'reseal']],
  ['Development', ['dev …']],
  ['Holdfast itself', []],
]

/** What the first word of commands of two words stands for. */
const groups: Readonly<Record<string, string>> = {
  files: 'back up and restore files, such as uploads',
  dev: 'development servers of databases, for the project and its tests',
}

type Rows = readonly (readonly [string, string])[]

/** What `holdfast help` prints. */
export function renderOverview(
  commands: readonly DocumentedCommand[],
  style: Style,
  columns: number | undefined,
): string {
  return [
    `${style('bold', `holdfast ${holdfastVersion}`)}  backs up and restores databases, and proves that it did`,
    section('Usage', ['holdfast <command> [options]'], style),
    ...byPurpose(commands).map(([title, list]) => section(title, rows(list, columns, widestName), style)),
    section('Options of every command', rows(globalRows(), columns), style),
    section('Start', examples(start, columns, style), style),
    section('Environment', rows(environment, columns), style),
    section(
      'Exit codes',
      rows(
        exitCodes.map(([code, meaning]) => [String(code), meaning]),
        columns,
      ),
      style,
    ),
    `${style('dim', 'holdfast help <command> tells more; docs/errors.md lists every error.')}`,
  ].join('\n\n')
}

/** What `holdfast help files` and `holdfast files --help` print: the commands whose names begin with that word. */
export function renderGroup(
  name: string,
  commands: readonly DocumentedCommand[],
  style: Style,
  columns: number | undefined,
): string {
  return [
    `${style('bold', `holdfast ${name}`)}  ${groups[name] ?? ''}`,
    section('Usage', [`holdfast ${name} <command> [options]`], style),
    section(
      'Commands',
      rows(
        commands.map((each) => [each.name, each.brief]),
        columns,
      ),
      style,
    ),
    `${style('dim', `holdfast help ${commands[0]?.name ?? name} tells more of one.`)}`,
  ].join('\n\n')
}

/** What `holdfast help backup` and `holdfast backup --help` print. */
export function renderCommandHelp(
  command: DocumentedCommand,
  style: Style,
  columns: number | undefined,
): string {
  const { name, brief, description, positional } = command
  const usage = ['holdfast', name, ...positional.map(positionalUsage), '[options]'].join(' ')
  const flags = flagRows(command)
  const named: Rows = positional.map((each) => [placeholderOf(each), each.brief])
  return [
    `${style('bold', `holdfast ${name}`)}  ${brief}`,
    section('Usage', [usage], style),
    ...description.map((paragraph) => wrap(paragraph, Math.min(columns ?? 100, 100)).join('\n')),
    ...(named.length === 0 ? [] : [section('Arguments', rows(named, columns), style)]),
    ...(flags.length === 0 ? [] : [section('Options', rows(flags, columns), style)]),
    section('Options of every command', rows(globalRows(), columns), style),
    section('Examples', examples(command.examples, columns, style), style),
  ].join('\n\n')
}

/** Commands that begin with `dev` are one line here: `holdfast help dev` has each of them. */
function byPurpose(commands: readonly DocumentedCommand[]): readonly (readonly [string, Rows])[] {
  const lines: Rows = [
    ...commands
      .filter(({ name }) => !name.startsWith('dev '))
      .map(({ name, brief }) => [name, brief] as const),
    ['dev …', 'development servers: see holdfast help dev'],
  ]
  const named = new Set(purposes.flatMap(([, names]) => names))
  return purposes.map(([title, names], index) => [
    title,
    index === purposes.length - 1
      ? lines.filter(([name]) => !named.has(name))
      : names.flatMap((name) => lines.filter((line) => line[0] === name)),
  ])
}

function section(title: string, lines: readonly string[], style: Style): string {
  return [style('cyan', title), ...lines.map((line) => `  ${line}`)].join('\n')
}

/** Each with what it means beside it, or below where one of them is too long for that. */
function examples(
  list: DocumentedCommand['examples'],
  columns: number | undefined,
  style: Style,
): readonly string[] {
  const size = Math.max(...list.map(({ line }) => line.length))
  const longest = size + Math.max(...list.map(({ meaning }) => meaning.length)) + 4
  if (longest > (columns ?? 100))
    return list.flatMap(({ line, meaning }) => [line, style('dim', `    ${meaning}`)])
  return list.map(({ line, meaning }) => `${line.padEnd(size)}  ${style('dim', meaning)}`)
}

function globalRows(): Rows {
  return globalFlags.map(({ name, letter, placeholder, brief }) => [
    flagLabel(name, letter, placeholder),
    brief,
  ])
}

function flagRows({ flags, letters }: DocumentedCommand): Rows {
  return Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true)
    .map(([key, flag]) => {
      const letter = Object.entries(letters).find(([, target]) => target === key)?.[0]
      const name = flag.withNegated === true ? `[no-]${flagName(key)}` : flagName(key)
      return [flagLabel(name, letter, flag.placeholder), flag.brief]
    })
}

function flagLabel(name: string, letter: string | undefined, placeholder: string | undefined): string {
  const short = letter === undefined ? '    ' : `-${letter}, `
  return `${short}--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`
}

function positionalUsage(parameter: DocumentedCommand['positional'][number]): string {
  const shown = `${placeholderOf(parameter)}${parameter.many ? '…' : ''}`
  return parameter.many || parameter.optional === true ? `[${shown}]` : `<${shown}>`
}

function placeholderOf({ placeholder = 'argument' }: ParameterDocs): string {
  return placeholder
}

const labelWidth = 30

/** Less room than this beside the labels is too narrow for sentences. */
const narrowest = 30
/** So that the lists of commands stand below each other. */
const widestName = 'files restore'.length

/** Labels on the left, briefs beside them, or below them where the terminal is narrow. */
function rows(list: Rows, columns = 100, least = 0): readonly string[] {
  const size = Math.max(least, Math.min(labelWidth, Math.max(...list.map(([label]) => label.length))))
  const room = Math.min(columns, 110) - size - 4
  if (room < narrowest)
    return list.flatMap(([label, brief]) => [
      label,
      ...wrap(brief, Math.max(narrowest, columns - 12)).map((line) => `${' '.repeat(10)}${line}`),
    ])
  return list.flatMap(([label, brief]) => {
    const lines = wrap(brief, room)
    const indent = ' '.repeat(size + 2)
    if (label.length > size) return [label, ...lines.map((line) => indent + line)]
    return lines.map((line, index) => (index === 0 ? `${label.padEnd(size)}  ${line}` : indent + line))
  })
}
