import type { CleanMode } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import type { RestorePlan } from '../../operations/reports.js'
import { command, type CommandLine } from '../command.js'
import { maxRate, metricsFile, oneOf, text, texts, toggle } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { askText, askYesNo, canAsk } from '../prompt.js'
import { restoreDocument } from '../render/json/restore.js'
import { renderPlan, renderRestore } from '../render/text/restore.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import { printable } from '../terminal.js'

interface RestoreFlags extends KeyFlags {
  readonly database?: string
  readonly to?: string
  readonly storage?: string
  readonly fromServer?: string
  readonly fromDatabase?: string
  readonly clean?: CleanMode
  readonly create?: boolean
  readonly disconnect?: boolean
  readonly schema?: readonly string[]
  readonly table?: readonly string[]
  readonly schemaOnly?: boolean
  readonly dataOnly?: boolean
  readonly requireSameRevision?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly confirm?: string
  readonly connector?: string
  readonly maxRate?: string
  readonly metricsFile?: string
}

export const restore = command<RestoreFlags, [backup?: string]>({
  name: 'restore',
  brief: 'restore a database from a backup',
  description: [
    'Restores the latest backup, or the one named by id, unique prefix of an id, file name in the storage, local path, or - for stdin. Compression and encryption are recognised. A dump that was made elsewhere (a .sql.gz, a pg_dump file) restores too.',
    'Before the first change everything that can be checked is checked: the artifact, the key, the tools, the target. Then what will be lost is shown, and you are asked. --dry-run stops there.',
  ],
  examples: [
    { line: 'holdfast restore', meaning: 'the latest backup of the only database' },
    { line: 'holdfast restore --database shop --dry-run', meaning: 'check and show the plan' },
    { line: 'holdfast restore 20261120T13 --to shop_copy --create', meaning: 'into a new database' },
    { line: 'holdfast restore ./dump.sql.gz --to sqlite:./x.db --create', meaning: 'a dump made elsewhere' },
    { line: 'holdfast restore --from-database shop --database staging --yes', meaning: 'in a script' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'the configured database to restore into  [default: the only one]'),
      to: text('TARGET', 'restore into another database: a URL, or a name on the same server'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
      fromServer: text('NAME', 'only backups made on this server'),
      fromDatabase: text('NAME', 'a backup of another database'),
      clean: oneOf<CleanMode>(
        ['none', 'objects', 'database'],
        'what to drop first: nothing, what the backup recreates, or the whole database  [default: objects]',
      ),
      create: toggle('make the database where it does not exist'),
      disconnect: toggle('end other sessions, where --clean database needs it'),
      schema: texts('NAME', 'only this schema (PostgreSQL); may be repeated  [default: as configured]'),
      table: texts(
        'TABLE',
        'only this table, where the format allows; * stands for anything; may be repeated',
      ),
      schemaOnly: toggle('definitions without rows, where the format allows'),
      dataOnly: toggle('rows without definitions, where the format allows'),
      requireSameRevision: toggle('refuse where code or migrations differ from those of the backup'),
      dryRun: toggle('check everything, print the plan, change nothing'),
      yes: toggle('do not ask'),
      confirm: text('DATABASE', 'the name of a protected database, in place of typing it'),
      identity: keyFlags.identity,
      passphraseFile: keyFlags.passphraseFile,
      connector: text('NAME', 'how to restore  [default: as the backup was made]'),
      maxRate,
      metricsFile,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'latest, an id or its beginning, a file name, a path, or -  [default: latest]',
          placeholder: 'backup',
          parse: String,
          optional: true,
        },
      ],
    },
  },
  async run(flags, backup) {
    const { database, to, fromServer, fromDatabase, clean, create, disconnect, schema, connector } = flags
    const { table, schemaOnly, dataOnly, requireSameRevision, dryRun, yes, confirm: confirmName } = flags
    warnOfPasswords(this, [to, database])
    await withHoldfast(this, flags, async (hf, where) => {
      const report = await hf.restore({
        signal: this.signal,
        confirm: yes === true ? true : (plan) => confirmed(this, plan, confirmName),
        ...(backup === undefined ? {} : { backup: backup === '-' ? this.stdin : backup }),
        ...(database === undefined ? {} : { database }),
        ...(to === undefined ? {} : { to }),
        ...where,
        ...(fromServer === undefined ? {} : { fromServer }),
        ...(fromDatabase === undefined ? {} : { fromDatabase }),
        ...(clean === undefined ? {} : { clean }),
        ...(create === undefined ? {} : { create }),
        ...(disconnect === undefined ? {} : { disconnect }),
        ...(schema === undefined ? {} : { schemas: schema }),
        ...(table === undefined ? {} : { tables: table }),
        ...(schemaOnly === undefined ? {} : { schemaOnly }),
        ...(dataOnly === undefined ? {} : { dataOnly }),
        ...(requireSameRevision === undefined ? {} : { requireSameRevision }),
        ...(dryRun === undefined ? {} : { dryRun }),
        ...(connector === undefined ? {} : { connector }),
        ...(confirmName === undefined ? {} : { confirmName }),
      })
      this.reporter[report.restored ? 'done' : 'answer']('restore', restoreDocument(report), (style) =>
        renderRestore(report, style, this.env.clock.now()),
      )
      if (report.restored) for (const warning of report.warnings) this.reporter.warn(warning)
    })
  },
})

/** Shows what is going to happen, and asks. */
async function confirmed(
  cli: CommandLine,
  plan: RestorePlan,
  confirmName: string | undefined,
): Promise<boolean> {
  const { terminal } = cli.reporter
  cli.reporter.progress.clear()
  terminal.note(`${renderPlan(plan, terminal.noteStyle, cli.env.clock.now())}\n`)
  // The operation has compared it with the name of a protected database already.
  if (confirmName === plan.databaseName) return true
  if (!canAsk(cli)) throw notAsked(plan)
  if (!plan.protected) return askYesNo(cli, `Restore into ${printable(plan.place)}?`)
  const typed = await askText(
    cli,
    `${printable(plan.target)} is protected. Type ${printable(plan.databaseName)} to restore into it:`,
  )
  if (typed === plan.databaseName) return true
  throw new HoldfastError(
    'refused.protected',
    `${plan.target} is protected, and what was typed is not its name`,
  )
}

function notAsked(plan: RestorePlan): HoldfastError {
  return plan.protected
    ? new HoldfastError(
        'refused.protected',
        `${plan.target} is protected, and nobody is there to type its name`,
        {
          hint: `pass --yes --confirm ${plan.databaseName}`,
        },
      )
    : new HoldfastError(
        'refused.not-confirmed',
        `nobody is there to confirm the restore into ${plan.place}`,
        {
          hint: 'pass --yes where there is no terminal',
        },
      )
}
