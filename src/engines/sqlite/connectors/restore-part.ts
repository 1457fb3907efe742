import type { RestoreRequest } from '../../../engine/connector.js'
import { HoldfastError } from '../../../errors.js'
import type { InstallPartInput } from '../program/protocol.js'
import type { TargetFile } from './restore-target.js'

export function partOf({
  tables = [],
  schemaOnly = false,
  dataOnly = false,
  clean,
}: RestoreRequest): Pick<InstallPartInput, 'tables' | 'schemaOnly' | 'dataOnly' | 'replace'> {
  return { tables, schemaOnly, dataOnly, replace: clean !== 'none' }
}

/**
 * What a restore of a part takes away.
 * @throws usage.invalid, database.corrupt
 */
export function lossesOfPart(
  { path, exists, server }: TargetFile,
  { tables = [], schemaOnly, dataOnly, clean, create }: RestoreRequest,
): readonly string[] {
  if (schemaOnly === true && dataOnly === true)
    throw new HoldfastError(
      'usage.invalid',
      'dataOnly does not go with schemaOnly: together nothing is left to restore',
    )
  if (create)
    throw new HoldfastError(
      'usage.invalid',
      'create does not go with a part: it goes into a database that is there',
    )
  if (clean === 'database')
    throw new HoldfastError(
      'usage.invalid',
      "clean: 'database' does not go with a part: what else is there stays",
    )
  if (exists && server === undefined)
    throw new HoldfastError('database.corrupt', `${path} cannot be read, and a part goes into what is there`)
  if (clean === 'none' || server?.objectCount === 0) return []
  const which = tables.length === 0 ? 'tables and views that the backup has' : tables.join(', ')
  return [`in ${path}, ${dataOnly === true ? 'the rows of ' : ''}${which}: replaced`]
}
