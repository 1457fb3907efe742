import type { FilesOutcome } from '../../operations/files-reports.js'
import { command, type CommandLine } from '../command.js'
import { exitOfOutcomes } from '../exit.js'
import { maxRate, memoryLimit, metricsFile, text, texts, toggle } from '../flags.js'
import { filesBackupDocument } from '../render/json/files-backup.js'
import { renderFilesBackup } from '../render/text/files-backup.js'
import { withHoldfast } from '../session.js'
import { standardOutput } from '../standard-output.js'

interface FilesBackupFlags {
  readonly storage?: readonly string[]
  readonly output?: string
  readonly compress?: string
  readonly noEncrypt?: boolean
  readonly prune?: boolean
  readonly maxRate?: string
  readonly memoryLimit?: string
  readonly metricsFile?: string
}

export const filesBackup = command<FilesBackupFlags, readonly string[]>({
  name: 'files backup',
  brief: 'back up files, such as uploads',
  description: [
    'Backs up every configured set of files, or those named, each as a tar archive. A set is a folder or a storage: files: { media: { source: "./uploads" } }.',
    'A file that changes while it is read is recorded in the backup, with a warning. What cannot be read is left out: the backup is there, and the exit code is 3.',
  ],
  examples: [
    { line: 'holdfast files backup', meaning: 'every configured set' },
    { line: 'holdfast files backup media --prune', meaning: 'one, then remove old backups' },
    { line: 'holdfast files backup --storage main --storage offsite', meaning: 'to both at once' },
    { line: 'holdfast files backup media -o - | ssh host …', meaning: 'the archive to stdout' },
  ],
  parameters: {
    flags: {
      storage: texts(
        'NAME',
        'storage to use: a configured name, or a folder; may be repeated, for all at once  [default: as configured, or all; HOLDFAST_STORAGE]',
      ),
      output: text('PATH', 'write the archive to a file, or to stdout with -, and not to a storage'),
      compress: text('METHOD', 'zstd[:1-19], gzip[:1-9] or none  [default: zstd; HOLDFAST_COMPRESS]'),
      noEncrypt: toggle('do not encrypt, whatever the configuration says'),
      prune: toggle('apply retention to what was backed up'),
      maxRate,
      memoryLimit,
      metricsFile,
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'array',
      parameter: {
        brief: 'name of a configured set  [default: every set]',
        placeholder: 'set',
        parse: String,
      },
    },
  },
  async run(flags, ...sets) {
    const target = flags.output === '-' ? standardOutput(this, 'files backup') : flags.output
    await withHoldfast(
      this,
      flags,
      async (hf, where) => {
        const outcomes = await hf.files.backup({
          sets,
          signal: this.signal,
          ...where,
          ...(target === undefined ? {} : { output: target }),
          ...(flags.noEncrypt === true ? { encrypt: false } : {}),
          ...(flags.prune === undefined ? {} : { prune: flags.prune }),
        })
        report(this, outcomes, flags.output === '-')
      },
      { databases: false },
    )
  },
})

function report({ reporter }: CommandLine, outcomes: readonly FilesOutcome[], bytesOnStdout: boolean): void {
  for (const outcome of outcomes) {
    if (!outcome.ok) reporter.failure(outcome.set, outcome.error)
    const result = outcome.ok ? outcome.result : outcome.partial
    for (const warning of result?.warnings ?? []) reporter.warn(`${outcome.set}: ${warning}`)
  }
  reporter.exitCode = exitOfOutcomes(outcomes)
  if (!bytesOnStdout) {
    reporter.done('files backup', filesBackupDocument(outcomes), (style, columns) =>
      renderFilesBackup(outcomes, style, columns),
    )
  } else if (reporter.exitCode === 0) reporter.note((style) => renderFilesBackup(outcomes, style, undefined))
}
