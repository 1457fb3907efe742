import { HoldfastError } from '../../errors.js'
import type { FilesRestorePlan } from '../../operations/files-reports.js'
import { command, type CommandLine } from '../command.js'
import { declined } from '../confirmation.js'
import { maxRate, metricsFile, oneOf, text, texts, toggle } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { askYesNo, canAsk } from '../prompt.js'
import { filesRestoreDocument } from '../render/json/files-restore.js'
import { renderFilesPlan, renderFilesRestore } from '../render/text/files-restore.js'
import { withHoldfast } from '../session.js'
import { printable } from '../terminal.js'

interface FilesRestoreFlags extends KeyFlags {
  readonly set?: string
  readonly to?: string
  readonly storage?: string
  readonly fromServer?: string
  readonly onConflict?: 'replace' | 'skip' | 'error'
  readonly replace?: boolean
  readonly only?: readonly string[]
  readonly maxRate?: string
  readonly metricsFile?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export const filesRestore = command<FilesRestoreFlags, [backup?: string]>({
  name: 'files restore',
  brief: 'restore files from a backup',
  description: [
    'Restores the latest backup of a set into its folder or storage, or the one named by id, unique prefix of an id, file name in the storage, local path, or - for stdin. A tar archive that was made elsewhere restores too, compressed or encrypted or not.',
    'Before the first change the whole archive is read and checked: its digests, that every entry stays within the folder, and that there is room. Then what will be lost is shown, and you are asked. --dry-run stops there.',
    'With --replace the new folder is made beside the old one and takes its place in one step: where it fails, the old one is as it was. Otherwise each file takes its place when it is whole. In a storage each does, also with --replace: what is not in the backup is removed last.',
  ],
  examples: [
    { line: 'holdfast files restore', meaning: 'what is missing; an error where a file is there' },
    { line: 'holdfast files restore --replace', meaning: 'the folder as it was backed up' },
    { line: 'holdfast files restore --on-conflict skip', meaning: 'keep what is there' },
    { line: "holdfast files restore --only 'avatars/*.png' --to ./found", meaning: 'some files, elsewhere' },
    {
      line: 'holdfast files restore uploads.tar.gz --to ./uploads --yes',
      meaning: 'an archive made elsewhere',
    },
  ],
  parameters: {
    flags: {
      set: text('NAME', 'the configured set to restore  [default: the only one]'),
      to: text('FOLDER', 'restore into another folder; it is made where it is not there'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
      fromServer: text('NAME', 'only backups made on this server'),
      onConflict: oneOf(
        ['replace', 'skip', 'error'],
        'a file that is there already is replaced, stays, or stops the restore before it begins  [default: error]',
      ),
      replace: toggle('what is not in the backup goes, too'),
      only: texts('PATTERN', 'only these files: * within a name, ** across folders; may be repeated'),
      dryRun: toggle('check everything, print the plan, change nothing'),
      yes: toggle('do not ask'),
      identity: keyFlags.identity,
      passphraseFile: keyFlags.passphraseFile,
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
    const { set, to, fromServer, onConflict, replace, only, dryRun, yes } = flags
    await withHoldfast(
      this,
      flags,
      async (hf, where) => {
        const report = await hf.files.restore({
          signal: this.signal,
          ...where,
          ...(set === undefined ? {} : { set }),
          ...(to === undefined ? {} : { to }),
          ...(fromServer === undefined ? {} : { fromServer }),
          ...(onConflict === undefined ? {} : { onConflict }),
          ...(replace === undefined ? {} : { replace }),
          ...(only === undefined ? {} : { only }),
          ...(dryRun === undefined ? {} : { dryRun }),
          confirm: yes === true ? true : (plan) => confirmed(this, plan),
          ...(backup === undefined ? {} : { backup: backup === '-' ? this.stdin : backup }),
        })
        this.reporter[report.restored ? 'done' : 'answer'](
          'files restore',
          filesRestoreDocument(report),
          (style, columns) => renderFilesRestore(report, style, this.env.clock.now(), columns),
        )
        if (report.restored) for (const warning of report.warnings) this.reporter.warn(warning)
      },
      { databases: false },
    )
  },
})

/** Shows what is going to happen, and asks. */
async function confirmed(cli: CommandLine, plan: FilesRestorePlan): Promise<boolean> {
  const { terminal } = cli.reporter
  cli.reporter.progress.clear()
  terminal.note(`${renderFilesPlan(plan, terminal.noteStyle, cli.env.clock.now(), terminal.noteColumns)}\n`)
  if (canAsk(cli)) {
    if (await askYesNo(cli, `Restore into ${printable(plan.place)}?`)) return true
    throw declined('not restored')
  }
  throw new HoldfastError(
    'refused.not-confirmed',
    `nobody is there to confirm the restore into ${plan.place}`,
    {
      hint: 'pass --yes where there is no terminal',
    },
  )
}
