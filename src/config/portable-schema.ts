import { z } from 'zod'
import type { SubsetConfig, SubsetRoot, VirtualForeignKey } from '../portable/subset/subset-config.js'
import { strict } from './strict.js'

const filledText = z.string().min(1, 'is empty')
const texts = z.array(filledText)
const names = texts.min(1, 'is empty')
const has = (method: string) => (value: unknown) => typeof Reflect.get(Object(value), method) === 'function'
const secret = z.union([filledText, z.custom(has('reveal'), 'expected a Secret')])
const rule = z.custom(has('prepare'), 'expected a rule, such as mask.email()')

/** Every key but two is a table, or a pattern of tables. */
export const mask = z
  .object({ mode: z.enum(['allowlist', 'listed']).optional(), key: secret.optional() })
  .catchall(z.record(filledText, rule))

const root = strict({
  where: filledText.optional(),
  limit: z.int().min(1).optional(),
} satisfies Record<keyof Required<SubsetRoot>, z.ZodType>)

const foreignKey = strict({
  table: filledText,
  columns: names,
  references: filledText,
  referencedColumns: names.optional(),
} satisfies Record<keyof Required<VirtualForeignKey>, z.ZodType>)

export const subset = strict({
  roots: z.record(filledText, z.union([filledText, root])),
  limitChildren: z.record(filledText, z.union([z.int().min(0), z.literal('all')])).optional(),
  virtualForeignKeys: z.array(foreignKey).optional(),
  keep: texts.optional(),
} satisfies Record<keyof Required<SubsetConfig>, z.ZodType>)

export const models = z.array(z.custom(has('read'), 'expected models, such as drizzleModels(…)'))
