import { HoldfastError } from '../../errors.js'
import { texts, toggle } from '../flags.js'

/** Which tables: flags that `dump`, `load` and `copy` share. */
export interface TableFlags {
  readonly group?: readonly string[]
  readonly exclude?: readonly string[]
  readonly allowMissing?: boolean
  readonly withMigrations?: boolean
}

export const tableFlags = {
  group: texts('NAME', 'the tables of a configured group, or of a module of the models; may be repeated'),
  exclude: texts('TABLE', 'leave a table out; * stands for anything; may be repeated'),
  allowMissing: toggle('a pattern that matches no table is no error'),
  withMigrations: toggle('also the tables in which migration tools keep their state'),
}

export const tablesArgument = {
  brief: 'tables, with their schema or without; * stands for anything; or groups  [default: all tables]',
  placeholder: 'table',
  parse: String,
}

export function tableChoice(
  { group, exclude, allowMissing, withMigrations }: TableFlags,
  tables: readonly string[],
) {
  return {
    ...(tables.length === 0 ? {} : { tables }),
    ...(group === undefined ? {} : { groups: group }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(allowMissing === undefined ? {} : { allowMissing }),
    ...(withMigrations === undefined ? {} : { withMigrations }),
  }
}

/** What becomes of rows on their way out: flags that `dump` and `copy` share. */
export interface SourceFlags {
  readonly where?: readonly string[]
  readonly subset?: boolean
  readonly noMask?: boolean
}

export const sourceFlags = {
  where: texts('TABLE=CONDITION', 'only rows for which this holds, in SQL; may be repeated'),
  subset: toggle('only the rows of the configured subset'),
  noMask: toggle('leave values as they are, whatever the configuration masks'),
}

export function sourceChanges({ where, subset, noMask }: SourceFlags) {
  return {
    ...(where === undefined ? {} : { where: pairs(where, '--where', 'TABLE=CONDITION') }),
    ...(subset === undefined ? {} : { subset }),
    ...(noMask === true ? { mask: false as const } : {}),
  }
}

/** `['users=id < 9']` as `{ users: 'id < 9' }`. @throws usage.invalid */
export function pairs(
  given: readonly string[],
  flag: string,
  form: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((each) => {
      const at = each.indexOf('=')
      if (at > 0) return [each.slice(0, at), each.slice(at + 1)]
      throw new HoldfastError('usage.invalid', `${flag} ${each} is not ${form}`)
    }),
  )
}
