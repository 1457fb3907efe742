import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Row } from '../../engine/cell.js'
import { tableText, type TableHeader } from '../../engine/table-header.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import type { TableSource } from '../table-source.js'
import { ConvertedRows, TypeGuess } from './converted-rows.js'
import { fixtureObject } from './django-fixture.js'
import { djangoTables, type DjangoTable } from './django-tables.js'
import { jsonObjects, type FileRange } from './json-objects.js'

/** What a first reading finds of one model. */
interface ModelIndex {
  /** Whether any object holds a list there, by field. */
  readonly fields: Map<string, boolean>
  /** Where its objects are: dumpdata writes those of a model one after another. */
  readonly ranges: FileRange[]
}

/** A file where objects of many models alternate is read from the first to the last rather than opened so often. */
const mostRanges = 1000

/**
 * A fixture of Django's dumpdata, as JSON or lines of JSON. It is read once to find its models and then once for each table, so it
 * may be of any size.
 * @param targets the tables that it will be loaded into, which say how fields are called in the database
 * @throws usage.invalid, integrity.format, integrity.truncated, naming file and line
 */
export async function openDjango(
  cx: Context,
  path: string,
  targets: readonly TableHeader[],
): Promise<TableSource> {
  const name = basename(path)
  const file = await stat(path).catch((error: unknown) => {
    throw new HoldfastError('usage.invalid', `${path} cannot be read`, { cause: error })
  })
  if (!file.isFile())
    throw new HoldfastError('usage.invalid', `${path} is no file: a fixture is read several times`)
  const models = await indexOf(cx, path, name)
  if (models.size === 0) throw new HoldfastError('integrity.empty', `${name} holds no objects`)
  const tables = new Map<TableHeader, DjangoTable>()
  for (const [model, { fields }] of models)
    for (const table of djangoTables(model, fields, targets)) tables.set(await headerOf(table), table)

  async function headerOf(table: DjangoTable): Promise<TableHeader> {
    const guesses = table.columns.map(() => new TypeGuess())
    let count = 0
    for await (const { row } of rowsOf(table)) {
      count += 1
      for (const [index, cell] of row.entries()) guesses[index]?.add(cell)
    }
    return {
      table: table.target?.table ?? { name: table.name },
      columns: table.columns.map(
        (column, index) =>
          table.target?.columns.find((each) => each.name === column) ??
          (guesses[index] ?? new TypeGuess()).column(column),
      ),
      foreignKeys: [],
      unique: [],
      indexes: [],
      sequences: {},
      renamedFrom: {},
      defaults: {},
      generated: [],
      notCarried: [],
      estimatedRows: count,
    }
  }

  async function* rowsOf(table: DjangoTable): AsyncGenerator<{ readonly row: Row; readonly line: number }> {
    for (const range of joinedRanges(models.get(table.model)?.ranges ?? []))
      for await (const placed of jsonObjects(path, name, cx.signal, range)) {
        const object = fixtureObject(placed, name)
        if (object.model !== table.model) continue
        for (const row of table.rows(object, `${name}:${placed.line}`)) yield { row, line: placed.line }
      }
  }

  return {
    name: path,
    headers: [...tables.keys()],
    async *tables(wanted) {
      for (const header of wanted) {
        const table = [...tables].find(([each]) => tableText(each.table) === tableText(header.table))?.[1]
        if (table === undefined) continue
        const converted = new ConvertedRows(name)
        yield await Promise.resolve({
          header,
          rows: converted.chunks(rowsOf(table)),
          place: (index: number) => converted.place(index),
        })
      }
    },
    close: () => Promise.resolve(),
  }
}

function joinedRanges(ranges: readonly FileRange[]): readonly FileRange[] {
  const [first, last] = [ranges[0], ranges.at(-1)]
  return ranges.length > mostRanges && first !== undefined && last !== undefined
    ? [{ ...first, end: last.end }]
    : ranges
}

async function indexOf(cx: Context, path: string, name: string): Promise<ReadonlyMap<string, ModelIndex>> {
  const models = new Map<string, ModelIndex>()
  let before: ModelIndex | undefined
  for await (const placed of jsonObjects(path, name, cx.signal)) {
    const { model, fields } = fixtureObject(placed, name)
    const index: ModelIndex = models.get(model) ?? { fields: new Map(), ranges: [] }
    models.set(model, index)
    for (const [field, cell] of Object.entries(fields))
      index.fields.set(field, (index.fields.get(field) ?? false) || Array.isArray(cell))
    const last = index.ranges.at(-1)
    if (index === before && last !== undefined)
      index.ranges[index.ranges.length - 1] = { ...last, end: placed.end }
    else index.ranges.push({ start: placed.start, end: placed.end, line: placed.line })
    before = index
  }
  return models
}
