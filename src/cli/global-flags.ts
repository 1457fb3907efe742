import { nearestName } from '../config/nearest.js'
import { HoldfastError } from '../errors.js'

export const progressModes = ['auto', 'always', 'never'] as const
export type ProgressMode = (typeof progressModes)[number]

/** The flags that every command takes, before or after its name. */
export interface GlobalFlags {
  readonly config?: string
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly progress: ProgressMode
  readonly noColor: boolean
  readonly help: boolean
}

interface GlobalFlag {
  readonly name: string
  readonly letter?: string
  readonly placeholder?: string
  readonly brief: string
}

export const globalFlags: readonly GlobalFlag[] = [
  { name: 'config', placeholder: 'FILE', brief: 'configuration file  [default: found from here upward]' },
  { name: 'json', brief: 'print one JSON document' },
  { name: 'quiet', letter: 'q', brief: 'print errors, warnings and what was asked for, nothing else' },
  { name: 'verbose', letter: 'v', brief: 'print details: causes of errors, messages of tools' },
  {
    name: 'progress',
    placeholder: progressModes.join('|'),
    brief: 'show progress  [default: auto, on a terminal]',
  },
  { name: 'no-color', brief: 'no colours; NO_COLOR does the same' },
  { name: 'help', letter: 'h', brief: 'print help for the command' },
]

export interface SplitArguments {
  readonly globals: GlobalFlags
  /** What is left: the command, its own flags, its arguments. */
  readonly rest: readonly string[]
  /** An error in the global flags; the rest of them is known nevertheless. */
  readonly error?: HoldfastError
}

/** Takes the global flags out of the arguments, wherever they stand before `--`. */
export function splitGlobalFlags(argv: readonly string[]): SplitArguments {
  const found = new Map<string, string>()
  const rest: string[] = []
  let error: HoldfastError | undefined
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') {
      rest.push(...argv.slice(at))
      break
    }
    const names = flagsIn(word)
    if (names === undefined) {
      rest.push(word)
      continue
    }
    for (const { name, placeholder } of names) {
      const [, given] = /^--[^=]+=(.*)$/su.exec(word) ?? []
      if (placeholder === undefined) {
        if (given !== undefined) error ??= new HoldfastError('usage.invalid', `--${name} takes no value`)
        found.set(name, 'true')
        continue
      }
      const value = given ?? argv[++at]
      if (value === undefined || value === '' || (given === undefined && /^--?[a-z]/u.test(value))) {
        error ??= new HoldfastError('usage.invalid', `--${name} needs ${placeholder}`)
      } else found.set(name, value)
    }
  }
  const progress = progressModes.find((mode) => mode === (found.get('progress') ?? 'auto'))
  if (progress === undefined) {
    error ??= new HoldfastError(
      'usage.invalid',
      `--progress is ${progressModes.join(', ')}, not ${found.get('progress')}`,
    )
  }
  const config = found.get('config')
  return {
    globals: {
      ...(config === undefined ? {} : { config }),
      json: found.has('json'),
      quiet: found.has('quiet'),
      verbose: found.has('verbose'),
      progress: progress ?? 'auto',
      noColor: found.has('no-color'),
      help: found.has('help'),
    },
    rest,
    ...(error === undefined ? {} : { error }),
  }
}

/** The global flags of one word: `--json`, `--config=x`, `-q`, `-qv`. */
function flagsIn(word: string): readonly GlobalFlag[] | undefined {
  const long = /^--([^=]+)/u.exec(word)?.[1]
  if (long !== undefined) {
    const flag = globalFlags.find(({ name }) => name === long)
    return flag === undefined ? undefined : [flag]
  }
  const letters = /^-([a-z]+)$/u.exec(word)?.[1]
  const flags = [...(letters ?? '')].map((each) => globalFlags.find(({ letter }) => letter === each))
  const known = flags.filter((flag) => flag !== undefined)
  return known.length > 0 && known.length === flags.length ? known : undefined
}

/** The flag that was most likely meant, among a command's own and the global ones. */
export function nearestFlag(name: string, own: readonly string[]): string | undefined {
  return nearestName(name, [...own, ...globalFlags.map((flag) => flag.name)])
}
