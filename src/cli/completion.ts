import type { Env } from '../env/env.js'
import { flagName, type DocumentedCommand } from './command.js'
import { globalFlags, progressModes } from './global-flags.js'

/** Each asks `holdfast __complete` with the words so far, the last of which is to be completed; files come from the shell. */
export const completionScripts = {
  bash: `_holdfast() {
  local IFS=$'\\n'
  COMPREPLY=($(holdfast __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _holdfast holdfast`,
  zsh: `_holdfast() {
  local -a proposals
  proposals=("\${(@f)$(holdfast __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${proposals[*]}" ]]; then compadd -- "\${proposals[@]}"; else _files; fi
}
compdef _holdfast holdfast`,
  fish: `complete -c holdfast -f -a '(holdfast __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
complete -c holdfast -n 'string match -qr -- "^[./~]" (commandline -ct)' -F`,
} as const

export type Shell = keyof typeof completionScripts

/** What may stand in place of the last word. */
export async function complete(
  words: readonly string[],
  env: Env,
  commands: readonly DocumentedCommand[],
): Promise<readonly string[]> {
  const partial = words.at(-1) ?? ''
  const proposals = await proposalsFor(words.slice(0, -1), partial, env, commands)
  return proposals.filter((proposal) => proposal.startsWith(partial))
}

async function proposalsFor(
  before: readonly string[],
  partial: string,
  env: Env,
  commands: readonly DocumentedCommand[],
): Promise<readonly string[]> {
  const group = commands.find(({ name }) => name.split(' ')[0] === before[0] && name.includes(' '))
  const command = commands.find(({ name }) =>
    group === undefined ? before.includes(name) : name === before.slice(0, 2).join(' '),
  )
  const flag = before.at(-1)?.startsWith('--') === true ? before.at(-1)?.slice('--'.length) : undefined
  if (flag === 'progress') return progressModes
  if (flag === 'config') return []
  const [key, docs] = Object.entries(command?.flags ?? {}).find(([name]) => flagName(name) === flag) ?? []
  if (docs?.placeholder !== undefined) return docs.values ?? namesFor(key ?? '', env)
  if (partial.startsWith('-')) return flagsOf(command)
  if (command === undefined) {
    const at = group === undefined ? 0 : 1
    const inGroup = commands.filter(({ name }) => group === undefined || name.startsWith(`${before[0]} `))
    return [...new Set(inGroup.map(({ name }) => name.split(' ')[at] ?? ''))]
  }
  const [positional] = command.positional
  if (positional?.placeholder === 'database' || positional?.placeholder === 'set')
    return namesFor(positional.placeholder, env)
  if (positional?.placeholder === 'command') return commands.map(({ name }) => name)
  return positional?.placeholder === 'shell' ? Object.keys(completionScripts) : []
}

function flagsOf(command: DocumentedCommand | undefined): readonly string[] {
  const own = Object.entries(command?.flags ?? {}).flatMap(([key, { withNegated }]) => [
    `--${flagName(key)}`,
    ...(withNegated === true ? [`--no-${flagName(key)}`] : []),
  ])
  return [...own, ...globalFlags.map(({ name }) => `--${name}`)]
}

/** Names in the configuration; none where it cannot be loaded: a word that is being typed is no place for errors. */
async function namesFor(flag: string, env: Env): Promise<readonly string[]> {
  const section = { database: 'databases', fromDatabase: 'databases', storage: 'storages', set: 'files' }[
    flag
  ]
  if (section === undefined) return []
  try {
    const { loadConfigFile } = await import('../config/load.js')
    const { config } = await loadConfigFile(env, { holdfast: () => import('../index.js') })
    const named: unknown =
      typeof config === 'object' && config !== null ? Reflect.get(config, section) : undefined
    return typeof named === 'object' && named !== null ? Object.keys(named) : []
  } catch {
    return []
  }
}
