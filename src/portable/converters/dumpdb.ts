import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cell, Row } from '../../engine/cell.js'
import { tableText, type DefaultRule, type TableHeader } from '../../engine/table-header.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { ruleOf } from '../header-line.js'
import type { SourceTable, TableSource } from '../table-source.js'
import { ConvertedRows, TypeGuess } from './converted-rows.js'
import { NotALiteral, PythonReader, type PythonValue } from './python-literal.js'
import { textLines, type TextLine } from './text-lines.js'

/** A file of the form before version 1.3 is one value, which is read at once. */
const largestOldFile = 64 * 1024 * 1024
const mostFiles = 10_000

interface DataFile {
  readonly path: string
  readonly name: string
  readonly table: string
  readonly fields: readonly string[]
  readonly defaults: Readonly<Record<string, DefaultRule>>
}

interface PlacedRow {
  readonly row: Row
  readonly line: number
}

/**
 * The data files of the Django script dumpdb: one `.py` file a table, with `table`, `fields`, `default` and `records`. They are
 * read as data; nothing in them is run.
 * @throws usage.invalid, integrity.format, naming file and line
 */
export async function openDumpdb(cx: Context, folder: string): Promise<TableSource> {
  const names = await dataFiles(folder)
  const files = new Map<TableHeader, DataFile>()
  const tables = new Map<string, string>()
  for (const name of names) {
    const file = await readHead(cx, join(folder, name), name)
    const other = tables.get(file.table)
    if (other !== undefined) throw wrong(name, 1, `holds the table ${file.table}, as ${other} does`)
    tables.set(file.table, name)
    files.set(await headerOf(cx, file), file)
  }
  return {
    name: folder,
    headers: [...files.keys()],
    async *tables(wanted) {
      for (const header of wanted) {
        const file = [...files].find(([each]) => tableText(each.table) === tableText(header.table))?.[1]
        if (file !== undefined) yield await Promise.resolve(sourceTable(cx, header, file))
      }
    },
    close: () => Promise.resolve(),
  }
}

function sourceTable(cx: Context, header: TableHeader, file: DataFile): SourceTable {
  const converted = new ConvertedRows(file.name)
  return {
    header,
    rows: converted.chunks(rowsOf(cx, file)),
    place: (index) => converted.place(index),
  }
}

async function dataFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder).catch((error: unknown) => {
    throw new HoldfastError('usage.invalid', `${folder} cannot be read as a folder of dumpdb`, {
      cause: error,
    })
  })
  const names = entries.filter((name) => name.endsWith('.py') && name !== '__init__.py').sort()
  if (names.length === 0)
    throw new HoldfastError('usage.invalid', `${folder} holds no .py data files of dumpdb`)
  if (names.length > mostFiles)
    throw new HoldfastError('usage.invalid', `${folder} holds more than ${mostFiles} .py files`)
  return names
}

/** What stands before the records. */
async function readHead(cx: Context, path: string, name: string): Promise<DataFile> {
  const lines: string[] = []
  for await (const { text } of textLines(path, name, cx.signal)) {
    if (/^\s*records\s*=/u.test(text)) break
    if (/^\s*dump\s*=/u.test(text)) return headOf(path, name, oldValue(await oldFile(path, name), name))
    lines.push(text)
    if (lines.length > 100_000) throw wrong(name, lines.length, 'has no records')
  }
  return headOf(
    path,
    name,
    Object.fromEntries(readLiteral(name, 1, () => PythonReader.assignments(lines.join('\n')))),
  )
}

function headOf(path: string, name: string, values: Readonly<Record<string, PythonValue>>): DataFile {
  const { table, fields, default: defaults = {} } = values
  if (typeof table !== 'string' || table === '')
    throw wrong(name, 1, 'names no table: it is no data file of dumpdb')
  if (!isTexts(fields) || fields.length === 0) throw wrong(name, 1, 'has no list of fields')
  const twice = fields.find((field, index) => fields.indexOf(field) !== index)
  if (twice !== undefined) throw wrong(name, 1, `names the field ${twice} twice`)
  if (typeof defaults !== 'object' || defaults === null || Array.isArray(defaults))
    throw wrong(name, 1, 'has a default that is no dict')
  const rules = Object.entries(defaults as Readonly<Record<string, PythonValue>>).map(([field, rule]) => [
    field,
    defaultOf(name, field, rule),
  ])
  return { path, name, table, fields, defaults: Object.fromEntries(rules) as DataFile['defaults'] }
}

/** `('datetime', 'now')`; without a kind the value stands for itself. */
function defaultOf(name: string, field: string, rule: PythonValue): DefaultRule {
  const place = `${name}: default of ${field}`
  const [kind, value] = Array.isArray(rule) && rule.length === 2 ? (rule as readonly PythonValue[]) : []
  if (kind === undefined || value === undefined)
    throw new HoldfastError('integrity.format', `${place} is no pair of kind and value`)
  return ruleOf([kind === null || kind === '' ? 'value' : kind, value], place)
}

/** Reads the whole file once, for the types of its columns, and finds what is wrong with it before anything is loaded. */
async function headerOf(cx: Context, file: DataFile): Promise<TableHeader> {
  const guesses = file.fields.map(() => new TypeGuess())
  let rows = 0
  for await (const { row } of rowsOf(cx, file)) {
    rows += 1
    for (const [index, cell] of row.entries()) guesses[index]?.add(cell)
  }
  return {
    table: { name: file.table },
    columns: file.fields.map((field, index) => (guesses[index] ?? new TypeGuess()).column(field)),
    foreignKeys: [],
    unique: [],
    indexes: [],
    sequences: {},
    renamedFrom: {},
    defaults: file.defaults,
    generated: [],
    notCarried: [],
    estimatedRows: rows,
  }
}

async function* rowsOf(cx: Context, file: DataFile): AsyncGenerator<PlacedRow> {
  let state: 'head' | 'records' | 'end' = 'head'
  for await (const line of textLines(file.path, file.name, cx.signal)) {
    if (state === 'head') {
      if (/^\s*dump\s*=/u.test(line.text)) {
        yield* oldRows(file)
        return
      }
      const opening = /^\s*records\s*=\s*\[(.*)$/u.exec(line.text)?.[1]
      if (opening === undefined) continue
      if (!/^\s*\]?\s*(?:#.*)?$/u.test(opening))
        throw wrong(file.name, line.number, 'has a record on the line of records = [')
      state = opening.includes(']') ? 'end' : 'records'
    } else if (/^\s*(?:#.*)?$/u.test(line.text)) continue
    else if (state === 'end') throw wrong(file.name, line.number, 'goes on behind the end of records')
    else if (/^\s*\]\s*(?:#.*)?$/u.test(line.text)) state = 'end'
    else yield { row: recordOf(file, line), line: line.number }
  }
  if (state !== 'end')
    throw new HoldfastError('integrity.truncated', `${file.name}: ends before its records do: it is cut off`)
}

function recordOf(file: DataFile, { text, number }: TextLine): Row {
  return checkedRecord(
    file,
    readLiteral(file.name, number, () => PythonReader.value(text)),
    number,
  )
}

function checkedRecord({ name, fields }: DataFile, value: PythonValue, line: number): Row {
  if (!Array.isArray(value)) throw wrong(name, line, 'has a record that is no list')
  const row = value as readonly Cell[]
  if (row.length !== fields.length)
    throw wrong(name, line, `has ${row.length} values for ${fields.length} fields`)
  return row
}

async function oldFile(path: string, name: string): Promise<string> {
  const { size } = await stat(path)
  if (size > largestOldFile)
    throw wrong(name, 1, `is of the form before version 1.3 and larger than ${largestOldFile} bytes`)
  return readFile(path, 'utf8')
}

function oldValue(text: string, name: string): Readonly<Record<string, PythonValue>> {
  const dump = readLiteral(name, 1, () => PythonReader.assignments(text)).get('dump')
  if (typeof dump !== 'object' || dump === null || Array.isArray(dump))
    throw wrong(name, 1, 'has a dump that is no dict')
  return dump as Readonly<Record<string, PythonValue>>
}

async function* oldRows(file: DataFile): AsyncGenerator<PlacedRow> {
  const { records } = oldValue(await oldFile(file.path, file.name), file.name)
  if (!Array.isArray(records)) throw wrong(file.name, 1, 'has no list of records')
  for (const record of records as readonly PythonValue[])
    yield { row: checkedRecord(file, record, 1), line: 1 }
}

function readLiteral<T>(name: string, firstLine: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof NotALiteral) throw wrong(name, firstLine + error.line, error.message)
    throw error
  }
}

function isTexts(value: PythonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function wrong(name: string, line: number, reason: string): HoldfastError {
  return new HoldfastError('integrity.format', `${name}:${line}: ${reason}`, {
    hint: 'correct the file: nothing was loaded',
  })
}
