import { fingerprintLevels, type FingerprintLevel } from '../../engine/fingerprinter.js'
import type { BackupResult, Outcome } from '../../operations/reports.js'
import { command, type CommandLine } from '../command.js'
import { exitOfOutcomes } from '../exit.js'
import { maxRate, memoryLimit, metricsFile, oneOf, text, texts, toggle } from '../flags.js'
import { backupDocument } from '../render/json/backup.js'
import { renderBackup } from '../render/text/backup.js'
import { warnOfPasswords, withHoldfast } from '../session.js'
import { standardOutput } from '../standard-output.js'

interface BackupFlags {
  readonly storage?: readonly string[]
  readonly output?: string
  readonly exclude?: readonly string[]
  readonly excludeData?: readonly string[]
  readonly schema?: readonly string[]
  readonly allowMissing?: boolean
  readonly compress?: string
  readonly noEncrypt?: boolean
  readonly connector?: string
  readonly alsoPortable?: boolean
  readonly fingerprint?: FingerprintLevel
  readonly prune?: boolean
  readonly maxRate?: string
  readonly memoryLimit?: string
  readonly metricsFile?: string
}

export const backup = command<BackupFlags, readonly string[]>({
  name: 'backup',
  brief: 'back up databases',
  description: [
    'Backs up every configured database, or those named. A database may also be a URL: sqlite:./app.db, postgres://…, mysql://…, mariadb://…, mongodb://…. Without a configuration file, DATABASE_URL is the database "default", and backups go to ./backups.',
    'A backup exists when all its bytes are in the storage, which has said so; a failed one leaves nothing. One failing database does not stop the others, nor does one of several storages: the exit code is then 3.',
  ],
  examples: [
    { line: 'holdfast backup', meaning: 'every configured database' },
    { line: 'holdfast backup shop --prune', meaning: 'one, then remove old backups' },
    { line: 'holdfast backup sqlite:./app.db', meaning: 'without configuration' },
    { line: 'holdfast backup --storage main --storage offsite', meaning: 'to both at once' },
    { line: 'holdfast backup shop -o - | ssh host …', meaning: 'the artifact to stdout' },
    { line: "holdfast backup --exclude-data 'log_*'", meaning: 'log tables without rows' },
    { line: 'holdfast backup --also-portable', meaning: 'rows that any engine loads, too' },
  ],
  parameters: {
    flags: {
      storage: texts(
        'NAME',
        'storage to use: a configured name, or a folder; may be repeated, for all at once  [default: as configured, or all; HOLDFAST_STORAGE]',
      ),
      output: text('PATH', 'write the artifact to a file, or to stdout with -, and not to a storage'),
      exclude: texts('TABLE', 'leave a table out; * stands for anything; may be repeated'),
      excludeData: texts('TABLE', "leave a table's rows out; may be repeated"),
      schema: texts('NAME', 'only this schema (PostgreSQL); may be repeated'),
      allowMissing: toggle('a pattern that matches no table is no error'),
      compress: text('METHOD', 'zstd[:1-19], gzip[:1-9] or none  [default: zstd; HOLDFAST_COMPRESS]'),
      noEncrypt: toggle('do not encrypt, whatever the configuration says'),
      connector: text('NAME', 'how to dump  [default: as configured, or by engine]'),
      alsoPortable: toggle('a portable dump beside the native one, for holdfast load --from-backup'),
      fingerprint: oneOf<FingerprintLevel>(
        fingerprintLevels,
        'what the manifest holds of every table, to compare a restored copy with: nothing, how many rows, or also a digest of them  [default: as configured, or by engine; HOLDFAST_FINGERPRINT]',
      ),
      prune: toggle('apply retention to what was backed up'),
      maxRate,
      memoryLimit,
      metricsFile,
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'array',
      parameter: {
        brief: 'a configured name, or a URL  [default: every configured database]',
        placeholder: 'database',
        parse: String,
      },
    },
  },
  async run(flags, ...databases) {
    const { output, exclude, excludeData, schema, allowMissing, noEncrypt, connector, alsoPortable } = flags
    const { fingerprint, prune } = flags
    const target = output === '-' ? standardOutput(this, 'backup') : output
    warnOfPasswords(this, databases)
    await withHoldfast(this, flags, async (hf, where) => {
      const outcomes = await hf.backup({
        databases,
        signal: this.signal,
        ...where,
        ...(target === undefined ? {} : { output: target }),
        ...(exclude === undefined ? {} : { exclude }),
        ...(excludeData === undefined ? {} : { excludeData }),
        ...(schema === undefined ? {} : { schemas: schema }),
        ...(allowMissing === undefined ? {} : { allowMissing }),
        ...(noEncrypt === true ? { encrypt: false } : {}),
        ...(connector === undefined ? {} : { connector }),
        ...(alsoPortable === undefined ? {} : { alsoPortable }),
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(prune === undefined ? {} : { prune }),
      })
      report(this, outcomes, output === '-')
    })
  },
})

function report(
  { reporter }: CommandLine,
  outcomes: readonly Outcome<BackupResult>[],
  bytesOnStdout: boolean,
): void {
  for (const outcome of outcomes) {
    if (!outcome.ok) reporter.failure(outcome.database, outcome.error)
    const result = outcome.ok ? outcome.result : outcome.partial
    for (const warning of result?.warnings ?? []) reporter.warn(`${outcome.database}: ${warning}`)
  }
  reporter.exitCode = exitOfOutcomes(outcomes)
  if (!bytesOnStdout) {
    reporter.done('backup', backupDocument(outcomes), (style, columns) =>
      renderBackup(outcomes, style, columns),
    )
  } else if (reporter.exitCode === 0) reporter.note((style) => renderBackup(outcomes, style, undefined))
}
