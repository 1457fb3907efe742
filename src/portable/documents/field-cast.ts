import { asWrapped, wrapped, type Cell } from '../../engine/cell.js'
import { CellRefused } from '../../engine/row-sink.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import type { Cast } from '../casts.js'
import { fieldCell } from './extended-json.js'

/** A value of a document on its way to the column that it is for: extended JSON, which no cell is. */
export function asField(value: Cell): Cell {
  return wrapped('field', value)
}

/** Stands for a field that a document lacks, and that nothing here fills. */
export const missingField = wrapped('missing', null)

/** Takes values of documents, and cells of rules as they are. */
export function fieldCast(target: ColumnHeader, cast: Cast): Cast {
  return (cell) => {
    const wrapper = asWrapped(cell)
    if (wrapper?.['~'] === 'missing')
      throw new CellRefused(
        target,
        'is not in the document, and only the database knows its default: give a rule',
      )
    return cast(wrapper?.['~'] === 'field' ? fieldCell(wrapper.v, target) : cell)
  }
}
