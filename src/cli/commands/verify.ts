import { command } from '../command.js'
import { exitOfChecks } from '../exit.js'
import { date, maxRate, metricsFile, text, toggle } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { verifyDocument } from '../render/json/verify.js'
import { renderVerify } from '../render/text/verify.js'
import { withHoldfast } from '../session.js'

interface VerifyFlags extends KeyFlags {
  readonly all?: boolean
  readonly since?: Date
  readonly until?: Date
  readonly database?: string
  readonly storage?: string
  readonly maxRate?: string
  readonly metricsFile?: string
}

export const verify = command<VerifyFlags, [backup?: string]>({
  name: 'verify',
  brief: 'read backups to their last byte and check them',
  description: [
    'Reads every byte of the newest backup of each database, of one backup, or of all: checksums, decryption, decompression, and the structure of the dump. Without the key of an encrypted backup only its stored bytes are compared, and that is said.',
    'The exit code is 7 where data are damaged, or cannot be decrypted with the keys given.',
  ],
  examples: [
    { line: 'holdfast verify', meaning: 'the newest backup of each database' },
    { line: 'holdfast verify --all --since 2026-11-01', meaning: 'every backup of this month' },
    { line: 'holdfast verify 20261120T13 --identity key.txt', meaning: 'an encrypted one' },
  ],
  parameters: {
    flags: {
      all: toggle('every backup that the other options let through'),
      since: date('made at or after this day or time'),
      until: date('made before this day or time'),
      database: text('NAME', 'of this database'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
      identity: keyFlags.identity,
      passphraseFile: keyFlags.passphraseFile,
      maxRate,
      metricsFile,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'latest, an id or its beginning, or a file name  [default: the newest of each]',
          placeholder: 'backup',
          parse: String,
          optional: true,
        },
      ],
    },
  },
  async run(flags, backup) {
    const { all, since, until, database } = flags
    await withHoldfast(
      this,
      flags,
      async (hf, where) => {
        const report = await hf.verify({
          signal: this.signal,
          ...(backup === undefined ? {} : { backup }),
          ...(all === undefined ? {} : { all }),
          ...(since === undefined ? {} : { since }),
          ...(until === undefined ? {} : { until }),
          ...(database === undefined ? {} : { database }),
          ...where,
        })
        const failures = report.results.filter((result) => !result.ok)
        for (const { id, error } of failures) this.reporter.failure(id, error)
        this.reporter.exitCode = exitOfChecks(failures.map(({ error }) => error))
        this.reporter.done('verify', verifyDocument(report), (style, columns) =>
          renderVerify(report, style, columns),
        )
      },
      { databases: false },
    )
  },
})
