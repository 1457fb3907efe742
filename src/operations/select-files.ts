import type { FilesSettings } from '../config/settings.js'
import { didYouMean } from '../config/nearest.js'
import { HoldfastError } from '../errors.js'
import type { Workspace } from './workspace.js'

/** The sets of the names given, or all that are configured. @throws usage.unknown-files, config.not-found */
export function selectFiles(
  workspace: Workspace,
  names: readonly string[] | undefined,
): readonly FilesSettings[] {
  const { files } = workspace.settings
  if (names !== undefined && names.length > 0)
    return [...new Set(names)].map((name) => oneSet(workspace, name))
  if (files.size === 0) throw noneConfigured()
  return [...files.values()]
}

/** @param name where absent, the only configured set. @throws usage.unknown-files, usage.invalid, config.not-found */
export function oneSet({ settings: { files } }: Workspace, name: string | undefined): FilesSettings {
  const known = [...files.keys()]
  if (name === undefined) {
    const [only, ...others] = files.values()
    if (only === undefined) throw noneConfigured()
    if (others.length === 0) return only
    throw new HoldfastError('usage.invalid', `several sets of files are configured: ${known.join(', ')}`, {
      hint: 'name one with --set',
    })
  }
  const found = files.get(name)
  if (found !== undefined) return found
  throw new HoldfastError(
    'usage.unknown-files',
    `there is no set of files ${name}${didYouMean(name, known)}; known: ${known.join(', ') || 'none'}`,
  )
}

function noneConfigured(): HoldfastError {
  return new HoldfastError('config.not-found', 'no files are configured', {
    hint: "add them to the configuration: files: { media: { source: './uploads' } }",
  })
}
