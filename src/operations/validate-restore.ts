import { asHoldfastError, HoldfastError } from '../errors.js'
import type { FoundSource } from './restore-source.js'
import type { Workspace } from './workspace.js'

/** Asks the user's `validateRestore`, where there is a manifest to show it. @throws refused.hook */
export async function validateRestore(workspace: Workspace, { manifest }: FoundSource): Promise<void> {
  if (manifest === undefined) return
  try {
    await workspace.settings.validateRestore?.(manifest)
  } catch (error) {
    throw new HoldfastError('refused.hook', `validateRestore refused: ${asHoldfastError(error).message}`, {
      cause: error,
    })
  }
}
