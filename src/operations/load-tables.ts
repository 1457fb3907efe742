import type { EncodedRow, RowSink, WriteCounts } from '../engine/row-sink.js'
import { tableText } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { TablePlan } from '../portable/evolution.js'
import { FirstProblem, RowFitter, type FittedCounts, type FittingOptions } from '../portable/fitted-rows.js'
import type { SentRows } from '../portable/sent-rows.js'
import type { SourceTable, TableSource } from '../portable/table-source.js'
import { RowProgress } from './row-progress.js'

export interface LoadOutcome {
  /** By the name in the dump. */
  readonly fitted: ReadonlyMap<string, FittedCounts>
  readonly written: ReadonlyMap<string, WriteCounts>
  readonly sent: ReadonlyMap<string, SentRows>
}

export interface LoadTablesOptions {
  readonly dryRun: boolean
  readonly subject: string
  readonly fitting: FittingOptions
}

/** Reads every table and writes it, or only looks whether it could be written. */
export async function loadTables(
  cx: Context,
  source: TableSource,
  sink: RowSink,
  plans: readonly TablePlan[],
  { dryRun, subject, fitting }: LoadTablesOptions,
): Promise<LoadOutcome> {
  const byName = new Map(plans.map((plan) => [tableText(plan.source.table), plan]))
  const fitted = new Map<string, FittedCounts>()
  const written = new Map<string, WriteCounts>()
  const sent = new Map<string, SentRows>()
  const progress = new RowProgress(
    cx,
    'load',
    subject,
    plans.map((plan) => plan.source),
  )
  for await (const table of source.tables(plans.map((plan) => plan.source))) {
    const name = tableText(table.header.table)
    const plan = byName.get(name)
    if (plan === undefined) continue
    if (fitted.has(name)) throw new HoldfastError('integrity.format', `${source.name} holds ${name} twice`)
    const fitter = new RowFitter(plan, table, fitting)
    fitted.set(name, fitter.counts)
    sent.set(name, fitter.sent)
    const writer = sink.writer(plan.target, fitter.columns)
    const rows = told(fitter.fitted(writer), progress, cx.signal)
    try {
      if (dryRun) for await (const _batch of rows);
      else written.set(name, await writer.write(rows))
    } catch (error) {
      throw located(error, table, plan)
    }
  }
  const lost = plans
    .filter((plan) => !fitted.has(tableText(plan.source.table)))
    .map((plan) => tableText(plan.source.table))
  if (lost.length > 0)
    throw new HoldfastError('integrity.truncated', `${source.name} lacks ${lost.join(', ')}`)
  progress.done()
  return { fitted, written, sent }
}

async function* told(
  batches: AsyncIterable<readonly EncodedRow[]>,
  progress: RowProgress,
  signal: AbortSignal,
): AsyncGenerator<readonly EncodedRow[]> {
  for await (const batch of batches) {
    signal.throwIfAborted()
    yield batch
    progress.add(batch.length, 0)
  }
}

/** The engine knows which row it refused; where that stands is known here. */
function located(error: unknown, table: SourceTable, { rules }: TablePlan): unknown {
  if (error instanceof FirstProblem) return new HoldfastError('refused.cells', error.message)
  if (!(error instanceof HoldfastError)) return error
  const { row } = error.details
  if (typeof row !== 'number' || rules.row !== undefined) return error
  return new HoldfastError(error.code, `${table.place(row - 1)}: ${error.message}`, {
    cause: error.cause,
    hint: error.hint,
    details: error.details,
  })
}

/**
 * Looks at what the tables hold, before it is kept: as many rows as were sent and, where they were emptied first, the same ones.
 * @throws integrity.checksum
 */
export async function requireArrived(
  sink: RowSink,
  plans: readonly TablePlan[],
  { written, sent }: LoadOutcome,
  readBack: boolean,
): Promise<void> {
  for (const { source, target } of plans) {
    const name = tableText(source.table)
    const rows = sent.get(name)
    const counts = written.get(name)
    if (rows === undefined || counts === undefined) continue
    const taken = counts.inserted + counts.updated + counts.skipped
    const difference =
      taken === rows.count
        ? readBack &&
          rows.columns.length > 0 &&
          (await rows.difference(() => sink.rows(target, rows.columns)))
        : `it took ${taken} rows, and ${rows.count} were sent`
    if (difference === false || difference === undefined) continue
    throw new HoldfastError(
      'integrity.checksum',
      `${tableText(target.table)} is not what was sent to it: ${difference}`,
      {
        hint: 'nothing was changed: see whether a trigger of the table changes values; --no-check loads without looking',
      },
    )
  }
}

/** @throws refused.schema that names fields of documents for which their table has no column */
export function requireKnownFields(fitted: ReadonlyMap<string, FittedCounts>): void {
  const unknown = [...fitted].flatMap(([table, { unknownFields }]) =>
    unknownFields.size === 0 ? [] : [`${table} has no column for ${[...unknownFields.keys()].join(', ')}`],
  )
  if (unknown.length === 0) return
  const hint =
    'say with --rename TABLE.COLUMN=FIELD which column they fill, or leave them out with --ignore-unknown'
  throw new HoldfastError('refused.schema', unknown.join('; '), { hint })
}

/** @throws refused.cells that names the first cells that did not fit, and how many there are */
export function requireFitting(fitted: ReadonlyMap<string, FittedCounts>): void {
  const problems = [...fitted.values()]
    .flatMap(({ problems: each }) => [...each.values()])
    .filter(({ policy }) => policy === 'error')
  if (problems.length === 0) return
  const total = problems.reduce((sum, { count }) => sum + count, 0)
  const samples = problems.flatMap((problem) => problem.samples)
  const shown = samples.slice(0, 5).join('; ')
  throw new HoldfastError(
    'refused.cells',
    `${shown}${total > 5 ? `; and ${total - Math.min(5, samples.length)} more` : ''}`,
    {
      details: {
        cells: total,
        problems: problems.map(({ column, count, samples: each }) => ({ column, count, samples: each })),
      },
    },
  )
}
