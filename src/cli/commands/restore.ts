import type { CleanMode } from '../../engine/connector.js'
import { restoreStrategies, type RestoreStrategy } from '../../engine/swapper.js'
import { HoldfastError } from '../../errors.js'
import type { Holdfast } from '../../holdfast.js'
import { command, flagName, type CommandLine } from '../command.js'
import { maxRate, metricsFile, oneOf, text, texts, toggle, yesOrNo } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { confirmedByPerson } from '../confirmation.js'
import { keptDocument } from '../render/json/kept.js'
import { restoreDocument } from '../render/json/restore.js'
import { renderKept, renderKeptPlan } from '../render/text/kept.js'
import { renderPlan, renderRestore } from '../render/text/restore.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import { printable } from '../terminal.js'

interface RestoreFlags extends KeyFlags {
  readonly database?: string
  readonly to?: string
  readonly storage?: string
  readonly fromServer?: string
  readonly fromDatabase?: string
  readonly strategy?: RestoreStrategy
  readonly safetyBackup?: boolean
  readonly undo?: boolean
  readonly discardOld?: boolean
  readonly clean?: CleanMode
  readonly create?: boolean
  readonly disconnect?: boolean
  readonly schema?: readonly string[]
  readonly table?: readonly string[]
  readonly schemaOnly?: boolean
  readonly dataOnly?: boolean
  readonly requireSameRevision?: boolean
  readonly noCompare?: boolean
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
    '--strategy swap restores beside the database, and puts the whole new one in its place in one step; the old one is kept under another name. --undo brings it back, and keeps what is there by then; --discard-old removes what is kept.',
  ],
  examples: [
    { line: 'holdfast restore', meaning: 'the latest backup of the only database' },
    { line: 'holdfast restore --database shop --dry-run', meaning: 'check and show the plan' },
    { line: 'holdfast restore 20261120T13 --to shop_copy --create', meaning: 'into a new database' },
    { line: 'holdfast restore ./dump.sql.gz --to sqlite:./x.db --create', meaning: 'a dump made elsewhere' },
    { line: 'holdfast restore --strategy swap', meaning: 'beside the old database, which is kept' },
    { line: 'holdfast restore --undo', meaning: 'the database as it was before the swap' },
    { line: 'holdfast restore --from-database shop --database staging --yes', meaning: 'in a script' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'the configured database to restore into  [default: the only one]'),
      to: text('TARGET', 'restore into another database: a URL, or a name on the same server'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
      fromServer: text('NAME', 'only backups made on this server'),
      fromDatabase: text('NAME', 'a backup of another database'),
      strategy: oneOf<RestoreStrategy>(
        restoreStrategies,
        'change what is there, or restore beside it and swap  [default: as configured, else in-place]',
      ),
      safetyBackup: yesOrNo(
        'back up first what a failed restore in place could not undo (MySQL, MariaDB, MongoDB), and put it back then  [default: yes]',
      ),
      undo: toggle('bring back the database that the last swap has kept'),
      discardOld: toggle('remove the databases that swaps have kept'),
      clean: oneOf<CleanMode>(
        ['none', 'objects', 'database'],
        'what to drop first: nothing, what the backup recreates, or the whole database  [default: objects]',
      ),
      create: toggle('make the database where it does not exist'),
      disconnect: toggle('end other sessions, where --clean database or a swap needs it'),
      schema: texts('NAME', 'only this schema (PostgreSQL); may be repeated  [default: as configured]'),
      table: texts(
        'TABLE',
        'only this table, where the format allows; * stands for anything; may be repeated',
      ),
      schemaOnly: toggle('definitions without rows, where the format allows'),
      dataOnly: toggle('rows without definitions, where the format allows'),
      requireSameRevision: toggle('refuse where code or migrations differ from those of the backup'),
      noCompare: toggle('do not compare the restored database with the fingerprint of its backup'),
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
    const { strategy, safetyBackup, undo, discardOld } = flags
    const {
      table,
      schemaOnly,
      dataOnly,
      requireSameRevision,
      noCompare,
      dryRun,
      yes,
      confirm: confirmName,
    } = flags
    warnOfPasswords(this, [to, database])
    if (undo === true || discardOld === true) {
      refuseOthers(flags, backup)
      await withHoldfast(this, flags, (hf) => keptDatabases(this, hf, flags))
      return
    }
    await withHoldfast(this, flags, async (hf, where) => {
      const report = await hf.restore({
        signal: this.signal,
        confirm:
          yes === true
            ? true
            : (plan) =>
                confirmedByPerson(this, plan, confirmName, {
                  render: (style, columns) => renderPlan(plan, style, this.env.clock.now(), columns),
                  question: `Restore into ${printable(plan.place)}?`,
                  purpose: 'to restore into it',
                  undone: 'not restored',
                  what: `the restore into ${plan.place}`,
                }),
        ...(backup === undefined ? {} : { backup: backup === '-' ? this.stdin : backup }),
        ...(database === undefined ? {} : { database }),
        ...(to === undefined ? {} : { to }),
        ...where,
        ...(fromServer === undefined ? {} : { fromServer }),
        ...(fromDatabase === undefined ? {} : { fromDatabase }),
        ...(strategy === undefined ? {} : { strategy }),
        ...(safetyBackup === undefined ? {} : { safetyBackup }),
        ...(clean === undefined ? {} : { clean }),
        ...(create === undefined ? {} : { create }),
        ...(disconnect === undefined ? {} : { disconnect }),
        ...(schema === undefined ? {} : { schemas: schema }),
        ...(table === undefined ? {} : { tables: table }),
        ...(schemaOnly === undefined ? {} : { schemaOnly }),
        ...(dataOnly === undefined ? {} : { dataOnly }),
        ...(requireSameRevision === undefined ? {} : { requireSameRevision }),
        ...(noCompare === true ? { compare: false } : {}),
        ...(dryRun === undefined ? {} : { dryRun }),
        ...(connector === undefined ? {} : { connector }),
        ...(confirmName === undefined ? {} : { confirmName }),
      })
      this.reporter[report.restored ? 'done' : 'answer'](
        'restore',
        restoreDocument(report),
        (style, columns) => renderRestore(report, style, this.env.clock.now(), columns),
      )
      if (report.restored) for (const warning of report.warnings) this.reporter.warn(warning)
    })
  },
})

/** What goes with `--undo` and `--discard-old`; all else is of a restore. */
const ofKept = ['undo', 'discardOld', 'database', 'to', 'disconnect', 'dryRun', 'yes', 'confirm']

/** @throws usage.invalid */
function refuseOthers(flags: RestoreFlags, backup: string | undefined): void {
  const chosen = flags.undo === true ? '--undo' : '--discard-old'
  const refuse = (other: string) => {
    throw new HoldfastError('usage.invalid', `${chosen} does not go with ${other}: it restores no backup`, {
      hint: 'leave one out',
    })
  }
  if (flags.undo === true && flags.discardOld === true) refuse('--discard-old')
  if (backup !== undefined) refuse(backup)
  for (const [name, value] of Object.entries(flags)) {
    if (value !== undefined && !ofKept.includes(name)) refuse(`--${flagName(name)}`)
  }
}

async function keptDatabases(cli: CommandLine, hf: Holdfast, flags: RestoreFlags): Promise<void> {
  const { undo, database, to, disconnect, dryRun, yes, confirm: confirmName } = flags
  const report = await hf[undo === true ? 'undoRestore' : 'discardOld']({
    signal: cli.signal,
    confirm:
      yes === true
        ? true
        : (plan) =>
            confirmedByPerson(cli, plan, confirmName, {
              render: (style, columns) => renderKeptPlan(plan, style, columns),
              question: undo === true ? 'Bring it back?' : 'Remove it for good?',
              purpose: undo === true ? 'to undo its restore' : 'to discard its old databases',
              undone: undo === true ? 'not brought back' : 'not removed',
              what:
                undo === true
                  ? `the undoing of the restore of ${plan.place}`
                  : `the removal of old databases of ${plan.place}`,
            }),
    ...(database === undefined ? {} : { database }),
    ...(to === undefined ? {} : { to }),
    ...(disconnect === undefined ? {} : { disconnect }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(confirmName === undefined ? {} : { confirmName }),
  })
  cli.reporter[report.done ? 'done' : 'answer']('restore', keptDocument(report), (style, columns) =>
    renderKept(report, style, columns),
  )
  if (report.done) for (const warning of report.warnings) cli.reporter.warn(warning)
}
