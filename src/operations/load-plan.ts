import type { DatabaseSettings } from '../config/settings.js'
import type { LooseType, RowSink, TableMapping } from '../engine/row-sink.js'
import { tableText, type ColumnHeader, type Sequence, type TableHeader } from '../engine/table-header.js'
import { HoldfastError } from '../errors.js'
import { isSameType, planTable, type EvolutionRules, type TablePlan } from '../portable/evolution.js'
import { loadOrder } from '../portable/load-order.js'
import type { TableRules } from '../portable/table-rules.js'
import type { TableSource } from '../portable/table-source.js'
import { requireReferencesInside } from './load-checks.js'
import { findTarget, renamedHeader, targetName, withRenamedColumns } from './load-target.js'
import type { LoadRequest } from './portable-requests.js'
import { groupsOf, modelsOf } from './portable-settings.js'
import { chooseTables } from './table-choice.js'
import type { Workspace } from './workspace.js'

export interface LoadPlan {
  /** Parents first. */
  tables: readonly TablePlan[]
  readonly created: readonly TableMapping[]
  readonly unknownTables: readonly string[]
  readonly losses: readonly string[]
  readonly warnings: readonly string[]
}

/** How each table of a dump becomes one of the target. @throws usage.pattern-unmatched, refused.schema, refused.referenced */
export async function planLoad(
  workspace: Workspace,
  source: TableSource,
  { engine }: DatabaseSettings,
  sink: RowSink,
  request: Omit<LoadRequest, 'input' | 'database'>,
): Promise<LoadPlan> {
  const { portable } = workspace.settings
  const models = await modelsOf(workspace)
  const groups = await groupsOf(workspace, models, source.headers)
  const chosen = chooseTables(source.headers, request, groups)
  if (chosen.length === 0)
    throw new HoldfastError('usage.pattern-unmatched', `${source.name} has no table to load`)
  const tables = rulesWith(portable.tables ?? {}, request.rename ?? {})
  const rules: EvolutionRules = {
    tables,
    ...(models === undefined ? {} : { models }),
    sameEngine: source.manifest === undefined || source.manifest.engine === engine.name,
  }
  const renamed = (header: TableHeader) =>
    withRenamedColumns(header, (table) => (tables[tableText(table)] ?? tables[table.name])?.rename ?? {})
  const there = await sink.tables()
  const created: TableMapping[] = []
  const unknownTables: string[] = []
  const plans: TablePlan[] = []
  const replaced: TableMapping[] = []
  for (const header of chosen) {
    const into = (tables[tableText(header.table)] ?? tables[header.table.name])?.into
    const name = targetName(header, into, sink.capabilities)
    const found = findTarget(there, name)
    if (found !== undefined && sink.capabilities.anyColumns === true) {
      const mapping = sink.mapping(renamedHeader(renamed(header), found.table, (table) => table))
      replaced.push(mapping)
      plans.push(planTable(header, mapping.table, rules))
    } else if (found !== undefined) plans.push(planTable(header, found, rules))
    else if (request.create === true) {
      const made = renamedHeader(withoutStrangers(renamed(header), chosen, there), name, (table) =>
        targetName({ ...header, table }, undefined, sink.capabilities),
      )
      const mapping = sink.mapping(made)
      created.push(mapping)
      plans.push(planTable(header, mapping.table, rules))
    } else unknownTables.push(tableText(header.table))
  }
  if (unknownTables.length > 0 && request.ignoreUnknown !== true) {
    throw new HoldfastError('refused.schema', `the target has no table ${unknownTables.join(', ')}`, {
      hint: 'make it, pass --create, or pass --ignore-unknown to leave it out',
    })
  }
  const unknown = plans.filter((plan) => plan.unknown.length > 0)
  if (unknown.length > 0 && request.ignoreUnknown !== true && request.dryRun !== true)
    throw unknownColumns(unknown)
  const mode = request.mode ?? 'replace'
  if (mode === 'replace' || mode === 'sync') requireReferencesInside(plans, there)
  const order = loadOrder(
    plans.map((plan) => ({ plan, table: plan.target.table, foreignKeys: plan.target.foreignKeys })),
  )
  return {
    tables: order.map(({ plan }) => plan),
    created,
    unknownTables,
    losses: [
      ...[...created, ...replaced].flatMap(({ losses }) => losses),
      ...strangers(chosen, created, there),
      ...plans.flatMap((plan) => loosened(plan, sink.capabilities.looseTypes)),
    ],
    warnings: unknown.map(
      (plan) => `left out of ${tableText(plan.source.table)}: ${plan.unknown.join(', ')}`,
    ),
  }
}

/** Keys to tables that are neither loaded nor there cannot be made. */
function withoutStrangers(
  header: TableHeader,
  chosen: readonly TableHeader[],
  there: readonly TableHeader[],
): TableHeader {
  const known = [...chosen, ...there]
  return {
    ...header,
    foreignKeys: header.foreignKeys.filter(({ references }) => findTarget(known, references) !== undefined),
  }
}

function strangers(
  chosen: readonly TableHeader[],
  created: readonly TableMapping[],
  there: readonly TableHeader[],
): readonly string[] {
  if (created.length === 0) return []
  const known = [...chosen, ...there]
  return chosen.flatMap(({ table, foreignKeys }) =>
    foreignKeys
      .filter(({ references }) => findTarget(known, references) === undefined)
      .map(
        ({ columns, references }) =>
          `${tableText(table)} (${columns.join(', ')}): its key to ${tableText(references)}, which is not there`,
      ),
  )
}

/** Values that the target keeps by their meaning, and that had each letter till now. */
function loosened(
  { source, columns, sameEngine }: TablePlan,
  looseTypes: readonly LooseType[],
): readonly string[] {
  return columns.flatMap(({ target, source: from }) => {
    const loose = looseTypes.find(({ db }) => db.test(target.db ?? ''))
    if (from.kind !== 'file' || loose === undefined) return []
    const column = source.columns.find(({ name }) => name === from.column)
    return column === undefined || isSameType(target, column, sameEngine) || isFixedText(target, column)
      ? []
      : [`${tableText(source.table)}.${target.name}: ${loose.loses}`]
  })
}

/** Blanks at the end mean nothing in either. */
function isFixedText(target: ColumnHeader, from: ColumnHeader): boolean {
  const fixed = /^char(?:acter)?\(\d+\)$/iu
  return fixed.test(target.db ?? '') && fixed.test(from.db ?? '') && target.maxLength === from.maxLength
}

function unknownColumns(plans: readonly TablePlan[]): HoldfastError {
  const said = plans
    .map((plan) => `${tableText(plan.target.table)} has no ${plan.unknown.join(', ')}`)
    .join('; ')
  const [suggestion] = plans.flatMap(({ suggestions }) => suggestions)
  return new HoldfastError('refused.schema', said, {
    hint: suggestion ?? 'say with --rename what it is called now, or pass --ignore-unknown to leave it out',
  })
}

/** `{ 'users.email': 'mail' }` into the rules of `users`. */
function rulesWith(
  tables: Readonly<Record<string, TableRules>>,
  renames: Readonly<Record<string, string>>,
): Readonly<Record<string, TableRules>> {
  const rules: Record<string, TableRules> = { ...tables }
  for (const [place, from] of Object.entries(renames)) {
    const dot = place.lastIndexOf('.')
    if (dot < 1)
      throw new HoldfastError('usage.invalid', `${place} is no column of a table: write TABLE.COLUMN=NAME`)
    const [table, column] = [place.slice(0, dot), place.slice(dot + 1)]
    rules[table] = { ...rules[table], rename: { ...rules[table]?.rename, [column]: from } }
  }
  return rules
}

/** What was planned for tables that were only described is done with those that were made. */
export function withCreated(
  plans: readonly TablePlan[],
  tables: readonly TableHeader[],
): readonly TablePlan[] {
  return plans.map((plan) => {
    const made = findTarget(tables, plan.target.table)
    if (made === undefined) throw new TypeError(`${tableText(plan.target.table)} was not made`)
    const columns = plan.columns.map((each) => ({
      ...each,
      target: made.columns.find(({ name }) => name === each.target.name) ?? each.target,
    }))
    return { ...plan, target: made, columns }
  })
}

/** The next ids that the dump says, by the target's tables and columns. */
export function nextIds(
  plans: readonly TablePlan[],
): Readonly<Record<string, Readonly<Record<string, Sequence>>>> {
  return Object.fromEntries(
    plans.map(({ source, target, columns }) => [
      tableText(target.table),
      Object.fromEntries(
        columns.flatMap(({ target: column, source: from }) => {
          const sequence = from.kind === 'file' ? source.sequences[from.column] : undefined
          return sequence === undefined ? [] : [[column.name, sequence] as const]
        }),
      ),
    ]),
  )
}
