import { plainText, type Cell, type Row } from '../../engine/cell.js'
import { CellRefused, type TableMapping, type TableWriter } from '../../engine/row-sink.js'
import { tableText, type ColumnHeader, type TableHeader } from '../../engine/table-header.js'
import { DocumentWriter, NoDocument } from './document-bson.js'
import { DocumentReader, idJson } from './document-json.js'
import type { Bson } from './ordered-json.js'
import { documentMaker } from './rows-documents.js'
import { documentColumns } from './rows-header.js'

/** Of another engine what MongoDB does not know is lost. */
export function mappingOfDocuments(header: TableHeader): TableMapping {
  const { notCarried, foreignKeys, native } = header
  const losses =
    native?.engine === 'mongodb' ? [] : [...notCarried, ...foreignKeys.map(() => 'a foreign key')]
  return {
    table: {
      ...header,
      table: { name: header.table.name },
      columns: documentColumns,
      foreignKeys: [],
    },
    losses: losses.map((loss) => `${tableText(header.table)}: ${loss} does not carry over`),
    statements: [],
    after: [],
  }
}

/** Of rows that are documents already. */
export function documentEncoder(bson: Bson, columns: readonly string[]): TableWriter['encode'] {
  const [id, document] = documentColumns as [ColumnHeader, ColumnHeader]
  const place = new Map(columns.map((name, index) => [name, index]))
  const cellOf = (row: Row, name: string) => row[place.get(name) ?? -1] ?? null
  const [writer, reader] = [new DocumentWriter(bson), new DocumentReader(bson)]
  return (row) => {
    const text = cellOf(row, '_id')
    const bytes = written(writer, document, cellOf(row, 'document'), () =>
      text === null ? undefined : idJson(plainText(text)),
    )
    if (text !== null && reader.id(bytes) !== plainText(text))
      throw new CellRefused(id, `is ${plainText(text)}, and its document has another _id`)
    return bytes
  }
}

/** Of rows of a table. */
export function rowEncoder(
  bson: Bson,
  table: TableHeader,
  columns: readonly string[],
): TableWriter['encode'] {
  const writer = new DocumentWriter(bson)
  const make = documentMaker(table, columns)
  const [column] = table.columns as [ColumnHeader]
  return (row) => written(writer, column, make(row), () => ({ $oid: new bson.ObjectId().toHexString() }))
}

/** @throws CellRefused */
function written(writer: DocumentWriter, column: ColumnHeader, cell: Cell, id: () => unknown): Buffer {
  try {
    return writer.write(cell, id())
  } catch (error) {
    if (error instanceof NoDocument || error instanceof SyntaxError)
      throw new CellRefused(column, error.message)
    throw error
  }
}
