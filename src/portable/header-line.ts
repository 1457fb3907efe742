import { z } from 'zod'
import {
  defaultKinds,
  tableText,
  type ColumnHeader,
  type DefaultRule,
  type TableHeader,
  type TableName,
} from '../engine/table-header.js'
import type { Json } from '../env/json.js'
import { HoldfastError } from '../errors.js'

/** The format that this version writes, and the newest that it reads. */
export const portableFormat = 1

const json: z.ZodType<Json> = z.json()
const names = z.array(z.string())
const kinds: readonly string[] = defaultKinds

const defaultRule = z
  .tuple([z.string(), json])
  .rest(z.strictObject({ on: z.array(z.enum(['missing', 'null'])).optional() }))
  .refine((rule) => rule.length <= 3, 'a rule has two or three items')

const column = z.object({
  n: z.string(),
  t: z.string(),
  db: z.string().optional(),
  pk: z.int().positive().optional(),
  null: z.boolean().optional(),
  identity: z.enum(['always', 'by default']).optional(),
  max: z.int().nonnegative().optional(),
  prec: z.int().nonnegative().optional(),
  labels: names.optional(),
  def: z.union([z.strictObject({ value: json }), z.strictObject({ now: z.literal(true) })]).optional(),
  hasdef: z.literal(true).optional(),
})

const headerShape = z.object({
  holdfast: z.literal(portableFormat),
  table: z.string(),
  schema: z.string().optional(),
  masked: z.literal(true).optional(),
  subset: z.literal(true).optional(),
  cols: z.array(column).min(1),
  fk: z
    .array(
      z.object({
        name: z.string().optional(),
        cols: names,
        table: z.string(),
        schema: z.string().optional(),
        refs: names,
        del: z.string().optional(),
        upd: z.string().optional(),
      }),
    )
    .optional(),
  uniq: z.array(names).optional(),
  index: z.array(names).optional(),
  seq: z
    .record(z.string(), z.object({ next: z.string().regex(/^-?\d+$/u), inc: z.string().regex(/^-?\d+$/u) }))
    .optional(),
  gen: z
    .array(z.object({ n: z.string(), db: z.string().optional(), expr: z.string().optional() }))
    .optional(),
  notes: names.optional(),
  native: z.object({ engine: z.string(), definition: json }).optional(),
  renamed_from: z.record(z.string(), z.string()).optional(),
  default: z.record(z.string(), defaultRule).optional(),
})
type HeaderLine = z.infer<typeof headerShape>

/** The header as its line says it. Keys that say nothing are left out, so that people see what matters. */
export function headerObject(header: TableHeader): Record<string, unknown> {
  const { table, columns, foreignKeys, unique, indexes, sequences, generated, notCarried } = header
  const line: HeaderLine = {
    holdfast: portableFormat,
    ...namedTable(table),
    ...(header.stamps?.includes('masked') === true ? { masked: true } : {}),
    ...(header.stamps?.includes('subset') === true ? { subset: true } : {}),
    cols: columns.map(columnLine),
    ...filled(
      'fk',
      foreignKeys.map((key) => ({
        ...(key.name === undefined ? {} : { name: key.name }),
        cols: [...key.columns],
        ...namedTable(key.references),
        refs: [...key.referencedColumns],
        ...(key.onDelete === undefined ? {} : { del: key.onDelete }),
        ...(key.onUpdate === undefined ? {} : { upd: key.onUpdate }),
      })),
    ),
    ...filled(
      'uniq',
      unique.map((each) => [...each]),
    ),
    ...filled(
      'index',
      indexes.map((each) => [...each]),
    ),
    ...(Object.keys(sequences).length === 0
      ? {}
      : {
          seq: Object.fromEntries(
            Object.entries(sequences).map(([name, { next, increment }]) => [name, { next, inc: increment }]),
          ),
        }),
    ...filled(
      'gen',
      generated.map(({ name, db, expression }) => ({
        n: name,
        ...(db === undefined ? {} : { db }),
        ...(expression === undefined ? {} : { expr: expression }),
      })),
    ),
    ...filled('notes', [...notCarried]),
    ...(header.native === undefined ? {} : { native: { ...header.native } }),
    ...(Object.keys(header.renamedFrom).length === 0 ? {} : { renamed_from: { ...header.renamedFrom } }),
    ...(Object.keys(header.defaults).length === 0
      ? {}
      : {
          default: Object.fromEntries(
            Object.entries(header.defaults).map(([name, rule]) => [name, ruleLine(rule)]),
          ),
        }),
  }
  return line
}

export function headerLine(header: TableHeader): string {
  return JSON.stringify(headerObject(header))
}

/**
 * @param place for messages: `users.ndjson:1`
 * @throws integrity.newer-format, integrity.format
 */
export function parseHeader(value: unknown, place: string): TableHeader {
  const format = (value as { readonly holdfast?: unknown } | null)?.holdfast
  if (typeof format === 'number' && format > portableFormat) {
    throw new HoldfastError(
      'integrity.newer-format',
      `${place}: format ${format} was written by a newer version of Holdfast; this one reads up to ${portableFormat}`,
    )
  }
  const parsed = headerShape.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
    throw new HoldfastError(
      'integrity.format',
      `${place}: not the header of a table: ${where}${issue?.message ?? ''}`,
    )
  }
  return headerOf(parsed.data, place)
}

function headerOf(line: HeaderLine, place: string): TableHeader {
  const columns = line.cols.map(columnOf)
  const known = new Set(columns.map(({ name }) => name))
  if (known.size < columns.length)
    throw new HoldfastError('integrity.format', `${place}: a column is named twice`)
  return {
    table: tableNameOf(line),
    ...stampsOf(line),
    columns,
    foreignKeys: (line.fk ?? []).map((key) => ({
      ...(key.name === undefined ? {} : { name: key.name }),
      columns: key.cols,
      references: tableNameOf(key),
      referencedColumns: key.refs,
      ...(key.del === undefined ? {} : { onDelete: key.del }),
      ...(key.upd === undefined ? {} : { onUpdate: key.upd }),
    })),
    unique: line.uniq ?? [],
    indexes: line.index ?? [],
    sequences: Object.fromEntries(
      Object.entries(line.seq ?? {}).map(([name, { next, inc }]) => [name, { next, increment: inc }]),
    ),
    generated: (line.gen ?? []).map(({ n, db, expr }) => ({
      name: n,
      ...(db === undefined ? {} : { db }),
      ...(expr === undefined ? {} : { expression: expr }),
    })),
    notCarried: line.notes ?? [],
    ...(line.native === undefined ? {} : { native: line.native }),
    renamedFrom: line.renamed_from ?? {},
    defaults: Object.fromEntries(
      Object.entries(line.default ?? {}).map(([name, rule]) => [
        name,
        ruleOf(rule, `${place}: default of ${name}`),
      ]),
    ),
  }
}

function stampsOf({ masked, subset }: HeaderLine): Pick<TableHeader, 'stamps'> {
  const stamps = [
    ...(masked === true ? (['masked'] as const) : []),
    ...(subset === true ? (['subset'] as const) : []),
  ]
  return stamps.length === 0 ? {} : { stamps }
}

function columnLine(each: ColumnHeader): HeaderLine['cols'][number] {
  return {
    n: each.name,
    t: each.type,
    ...(each.db === undefined ? {} : { db: each.db }),
    ...(each.primaryKey === undefined ? {} : { pk: each.primaryKey }),
    ...(each.nullable || each.primaryKey !== undefined ? {} : { null: false }),
    ...(each.identity === undefined ? {} : { identity: each.identity }),
    ...(each.maxLength === undefined ? {} : { max: each.maxLength }),
    ...(each.precision === undefined ? {} : { prec: each.precision }),
    ...(each.labels === undefined ? {} : { labels: [...each.labels] }),
    ...(each.defaultValue === undefined ? {} : { def: { ...each.defaultValue } }),
    ...(each.hasDefault && each.defaultValue === undefined && each.identity === undefined
      ? { hasdef: true as const }
      : {}),
  }
}

function columnOf(line: HeaderLine['cols'][number]): ColumnHeader {
  return {
    name: line.n,
    type: line.t,
    ...(line.db === undefined ? {} : { db: line.db }),
    ...(line.pk === undefined ? {} : { primaryKey: line.pk }),
    nullable: line.null ?? line.pk === undefined,
    ...(line.identity === undefined ? {} : { identity: line.identity }),
    ...(line.max === undefined ? {} : { maxLength: line.max }),
    ...(line.prec === undefined ? {} : { precision: line.prec }),
    ...(line.labels === undefined ? {} : { labels: line.labels }),
    ...(line.def === undefined ? {} : { defaultValue: line.def }),
    hasDefault: line.hasdef === true || line.def !== undefined || line.identity !== undefined,
  }
}

function ruleLine({ kind, value, on }: DefaultRule): [string, Json, ...{ on?: ('missing' | 'null')[] }[]] {
  return on.includes('null') ? [kind, value, { on: [...on] }] : [kind, value]
}

/** @throws integrity.format for a kind that is not known */
export function ruleOf(rule: readonly unknown[], place: string): DefaultRule {
  const [kind, value, options] = rule as [string, Json, { on?: ('missing' | 'null')[] }?]
  if (!kinds.includes(kind)) {
    throw new HoldfastError('integrity.format', `${place}: ${kind} is not a kind of default`, {
      hint: `the kinds are ${kinds.join(', ')}`,
    })
  }
  return { kind: kind as DefaultRule['kind'], value, on: options?.on ?? ['missing'] }
}

function namedTable(table: TableName): { table: string; schema?: string } {
  return { table: tableText(table), ...(table.schema === undefined ? {} : { schema: table.schema }) }
}

/** Without `schema`, a dot stands between schema and name where there is exactly one; names with dots of their own have `schema`. */
function tableNameOf({
  table,
  schema,
}: {
  readonly table: string
  readonly schema?: string | undefined
}): TableName {
  if (schema === undefined) {
    const [before, after, ...more] = table.split('.')
    return after !== undefined && more.length === 0 && before !== undefined && before !== '' && after !== ''
      ? { schema: before, name: after }
      : { name: table }
  }
  return { schema, name: table.startsWith(`${schema}.`) ? table.slice(schema.length + 1) : table }
}

function filled<Key extends string, Item>(key: Key, items: Item[]): { [Each in Key]?: Item[] } {
  return (items.length === 0 ? {} : { [key]: items }) as { [Each in Key]?: Item[] }
}
