import { z } from 'zod'
import { asWrapped, wrapped, type Cell } from '../../engine/cell.js'
import { HoldfastError } from '../../errors.js'
import type { Json } from '../../env/json.js'
import type { PlacedObject } from './json-objects.js'

/** One object of a fixture. */
export interface FixtureObject {
  /** `shop.book` */
  readonly model: string
  readonly pk: Cell
  readonly fields: Readonly<Record<string, Cell>>
  readonly line: number
}

const json: z.ZodType<Json> = z.json()
const shape = z.object({
  model: z.string().regex(/^[^.]+\.[^.]+$/u),
  pk: json.optional(),
  fields: z.record(z.string(), json),
})

/** @throws integrity.format naming the line, also for an object without its primary key */
export function fixtureObject({ text, line }: PlacedObject, name: string): FixtureObject {
  const parsed = shape.safeParse(parsedJson(text, `${name}:${line}`))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new HoldfastError(
      'integrity.format',
      `${name}:${line}: no object of a fixture: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    )
  }
  const { model, pk = null, fields } = parsed.data
  if (pk === null)
    throw new HoldfastError(
      'integrity.format',
      `${name}:${line}: an object of ${model} has no pk: natural primary keys are not supported`,
      {
        hint: 'write the fixture without --natural-primary',
      },
    )
  return {
    model: model.toLowerCase(),
    pk: exactCell(pk),
    fields: Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, exactCell(value)])),
    line,
  }
}

/** Numbers that a double does not hold are marked, so that no digit is lost. */
function parsedJson(text: string, place: string): unknown {
  const exact = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/gsu, (token) =>
    token.startsWith('"') ? token : JSON.stringify(wrapped('integer', token)),
  )
  try {
    return JSON.parse(exact)
  } catch (error) {
    throw new HoldfastError('integrity.format', `${place}: not JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** The mark taken away again: a large number is its digits, and JSON with one in it its text. */
function exactCell(value: Json): Cell {
  const marked = asWrapped(value)
  if (
    marked?.['~'] === 'integer' &&
    typeof marked.v === 'string' &&
    Object.keys(value as object).length === 2
  )
    return Number.isSafeInteger(Number(marked.v)) ? Number(marked.v) : marked.v
  if (typeof value !== 'object' || value === null) return value
  const text = JSON.stringify(value)
  if (!text.includes('"~"')) return value
  return wrapped('jsontext', text.replaceAll(/\{"~":"integer","v":"(-?\d+)"\}/gu, '$1'))
}
