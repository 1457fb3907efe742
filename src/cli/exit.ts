import type { HoldfastError } from '../errors.js'

/** Some of the work was done and some failed. */
const partial = 3
const unexpected = 1
const integrity = 7

/**
 * The exit code of work on several things: 0 where all succeeded, 3 where some did, and where none did the code that all
 * failures share, or 1.
 */
export function exitOfOutcomes(
  outcomes: readonly (
    { readonly ok: true } | { readonly ok: false; readonly error: HoldfastError; readonly partial?: unknown }
  )[],
): number {
  const errors = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]))
  if (errors.length === 0) return 0
  const someDone = outcomes.some((outcome) => outcome.ok || outcome.partial !== undefined)
  return someDone ? partial : exitOfErrors(errors)
}

/** The exit code of checks: 0 without errors; 7 where data are damaged, whatever else is wrong; otherwise as errors share it. */
export function exitOfChecks(errors: readonly (HoldfastError | undefined)[]): number {
  return errors.some((error) => error?.exit === integrity) ? integrity : exitOfErrors(errors)
}

/** The exit code of drills: 7 where a backup has failed; 3 where some were restored and others could not be tried; else as errors share it. */
export function exitOfDrills(
  results: readonly { readonly ok: boolean; readonly error?: HoldfastError }[],
): number {
  const errors = results.flatMap(({ ok, error }) => (ok ? [] : [error]))
  if (errors.length < results.length && errors.length > 0 && exitOfChecks(errors) !== integrity)
    return partial
  return exitOfChecks(errors)
}

/** 0 for none; the code that all share; 1 where they differ. */
function exitOfErrors(errors: readonly (HoldfastError | undefined)[]): number {
  const codes = new Set(errors.map((error) => error?.exit ?? unexpected))
  if (codes.size === 0) return 0
  const [code = unexpected] = codes
  return codes.size === 1 ? code : unexpected
}
