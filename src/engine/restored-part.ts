import { HoldfastError } from '../errors.js'
import type { RestoreRequest } from './connector.js'

/** Whether tables, definitions or rows are chosen, and not all of a dump is restored. */
export function isPart({ tables = [], schemaOnly, dataOnly }: RestoreRequest): boolean {
  return tables.length > 0 || schemaOnly === true || dataOnly === true
}

/**
 * @param needs why rows do not go into a database that is made for them: `rows need tables that are there`
 * @throws usage.invalid, naming both settings
 */
export function refuseContradictions(
  { schemaOnly, dataOnly, clean, create }: RestoreRequest,
  needs: string,
): void {
  if (dataOnly !== true) return
  const other =
    schemaOnly === true
      ? 'schemaOnly: together nothing is left to restore'
      : clean === 'database'
        ? `clean: 'database': ${needs}`
        : create
          ? `create: ${needs}`
          : undefined
  if (other !== undefined) throw new HoldfastError('usage.invalid', `dataOnly does not go with ${other}`)
}
