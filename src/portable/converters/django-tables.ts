import type { Cell, Row } from '../../engine/cell.js'
import { typeParts } from '../../engine/logical-type.js'
import { primaryKeyOf } from '../../engine/row-key.js'
import { tableText, type ColumnHeader, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import type { FixtureObject } from './django-fixture.js'
import { databaseCell } from './django-values.js'

/** A table that objects of one model become rows of: the model's own, or the join table of one of its many-to-many fields. */
export interface DjangoTable {
  readonly name: string
  readonly model: string
  /** Of the target; absent where it has no such table. */
  readonly target: TableHeader | undefined
  readonly columns: readonly string[]
  /** @throws integrity.format for natural keys */
  rows(object: FixtureObject, place: string): readonly Row[]
}

/**
 * The tables of a model. How its fields are called in the database is found in the target: `author` is the column `author_id` where
 * there is one, and a list is a many-to-many field where there is its join table, `shop_book_tags`.
 * @param fields of all objects of the model, and whether any holds a list
 */
export function djangoTables(
  model: string,
  fields: ReadonlyMap<string, boolean>,
  targets: readonly TableHeader[],
): readonly DjangoTable[] {
  const name = model.replace('.', '_')
  const find = (table: string) => targets.find((each) => each.table.name === table)
  const target = find(name)
  const joins: DjangoTable[] = []
  const own: { readonly field: string; readonly column: string }[] = []
  for (const [field, hasList] of fields) {
    const column = columnOf(field, target)
    const join = find(`${name}_${field}`)
    const isJoin = !hasColumn(target, column) && (join !== undefined || (target === undefined && hasList))
    if (isJoin) joins.push(joinTable(model, name, field, join))
    else own.push({ field, column })
  }
  return [ownTable(model, name, target, own), ...joins]
}

function ownTable(
  model: string,
  name: string,
  target: TableHeader | undefined,
  fields: readonly { readonly field: string; readonly column: string }[],
): DjangoTable {
  const [key = 'id', ...more] = target === undefined ? [] : primaryKeyOf(target)
  if (more.length > 0)
    throw new HoldfastError(
      'refused.schema',
      `${name} has a primary key of several columns, which no model of Django has`,
    )
  const headers = fields.map(({ column }) => target?.columns.find((each) => each.name === column))
  return {
    name,
    model,
    target,
    columns: [key, ...fields.map(({ column }) => column)],
    rows: (object, place) => [
      [
        cellFor(
          object.pk,
          target?.columns.find((each) => each.name === key),
        ),
        ...fields.map(({ field, column }, index) => {
          const cell = object.fields[field] ?? null
          if (isNaturalKey(cell, column !== field, headers[index])) throw naturalKey(model, field, place)
          return cellFor(cell, headers[index])
        }),
      ],
    ],
  }
}

function joinTable(
  model: string,
  owner: string,
  field: string,
  target: TableHeader | undefined,
): DjangoTable {
  const { from, to } = joinColumns(model, owner, field, target)
  const columnFor = (name: string) => target?.columns.find((each) => each.name === name)
  return {
    name: `${owner}_${field}`,
    model,
    target,
    columns: [from, to],
    rows({ pk, fields }, place) {
      const others = fields[field] ?? []
      if (!Array.isArray(others)) throw naturalKey(model, field, place)
      return (others as readonly Cell[]).map((other) => {
        if (typeof other === 'object') throw naturalKey(model, field, place)
        return [cellFor(pk, columnFor(from)), cellFor(other, columnFor(to))]
      })
    },
  }
}

/** By the join table's foreign keys; without them by Django's names. */
function joinColumns(
  model: string,
  owner: string,
  field: string,
  target: TableHeader | undefined,
): { readonly from: string; readonly to: string } {
  const short = model.slice(model.indexOf('.') + 1)
  const keys = (target?.foreignKeys ?? []).filter(({ columns }) => columns.length === 1)
  const toOwner = keys
    .filter(({ references }) => references.name === owner)
    .map(({ columns: [column = ''] }) => column)
  const toOther = keys
    .filter(({ references }) => references.name !== owner)
    .map(({ columns: [column = ''] }) => column)
  const [from, to] =
    toOwner.length === 2
      ? [
          toOwner.find((column) => column.startsWith('from_')),
          toOwner.find((column) => column.startsWith('to_')),
        ]
      : [toOwner[0], toOther[0]]
  if (from !== undefined && to !== undefined) return { from, to }
  const others = (target?.columns ?? [])
    .map(({ name }) => name)
    .filter((name) => name !== 'id' && name !== `${short}_id`)
  const [other = `${field.replace(/s$/u, '')}_id`, ...more] = others
  if (more.length > 0)
    throw new HoldfastError(
      'refused.schema',
      `${target === undefined ? owner : tableText(target.table)}: which columns join ${model} and ${field} cannot be told`,
    )
  return { from: `${short}_id`, to: other }
}

function columnOf(field: string, target: TableHeader | undefined): string {
  return !hasColumn(target, field) && hasColumn(target, `${field}_id`) ? `${field}_id` : field
}

function hasColumn(target: TableHeader | undefined, name: string): boolean {
  return target?.columns.some((column) => column.name === name) ?? false
}

/** A list where a key should be. */
function isNaturalKey(cell: Cell, isReference: boolean, column: ColumnHeader | undefined): boolean {
  if (!Array.isArray(cell)) return false
  if (isReference || column === undefined) return isReference
  const { base, array } = typeParts(column.type)
  return !array && !['json', 'document', 'text', 'native'].includes(base)
}

function naturalKey(model: string, field: string, place: string): HoldfastError {
  return new HoldfastError(
    'integrity.format',
    `${place}: ${model}.${field} holds a natural key, which is not supported`,
    {
      hint: 'write the fixture without --natural-foreign',
    },
  )
}

function cellFor(cell: Cell, column: ColumnHeader | undefined): Cell {
  return column === undefined ? cell : databaseCell(cell, column)
}
