import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { Candidate } from './restore-find.js'

interface Usable {
  readonly warnings?: readonly string[]
  dispose(): Promise<void>
}

/**
 * The first source that is whole. A copy that its storage has lost, or that is damaged, is left for the next one.
 * @throws what is wrong with the first where none can be used; what has nothing to do with a copy, at once
 */
export async function firstUsable<Source extends Usable, Prepared>(
  cx: Context,
  candidates: readonly Candidate<Source>[],
  prepareFrom: (source: Source) => Promise<Prepared>,
): Promise<{ readonly found: Source; readonly prepared: Prepared }> {
  const failures: HoldfastError[] = []
  const told: string[] = []
  for (const { name, warnings, open } of candidates) {
    let opened: Source | undefined
    try {
      opened = await open()
      const found = { ...opened, warnings: [...(opened.warnings ?? []), ...warnings, ...told] }
      return { found, prepared: await prepareFrom(found) }
    } catch (thrown) {
      await opened?.dispose()
      cx.signal.throwIfAborted()
      const error = asHoldfastError(thrown)
      if (candidates.length === 1 || !isOfOneCopy(error)) throw thrown
      failures.push(error)
      told.push(`${name} cannot be used: ${error.message}`)
    }
  }
  const [first] = failures
  if (first === undefined) throw new TypeError('there is always a source to try')
  throw new HoldfastError(first.code, told.join('; '), {
    cause: first,
    hint: first.hint,
    details: first.details,
  })
}

/** A key that does not fit, and a stage that is not known here, are the same for every copy. */
function isOfOneCopy({ code }: HoldfastError): boolean {
  if (code === 'integrity.wrong-key' || code === 'integrity.newer-format') return false
  return code.startsWith('storage.') || code.startsWith('integrity.')
}
