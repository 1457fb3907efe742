import { HoldfastError } from '../../errors.js'
import type { Holdfast } from '../../holdfast.js'
import { command, flagName, type CommandLine } from '../command.js'
import { exitOfChecks, exitOfDrills } from '../exit.js'
import { date, maxRate, metricsFile, text, toggle } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { drillDocument } from '../render/json/drill.js'
import { verifyDocument } from '../render/json/verify.js'
import { renderDrill } from '../render/text/drill.js'
import { renderVerify } from '../render/text/verify.js'
import { warnOfPasswords, withHoldfast, type Where } from '../session.js'

interface VerifyFlags extends KeyFlags {
  readonly all?: boolean
  readonly restore?: boolean
  readonly check?: string
  readonly newer?: boolean
  readonly server?: string
  readonly since?: Date
  readonly until?: Date
  readonly database?: string
  readonly storage?: string
  readonly maxRate?: string
  readonly metricsFile?: string
}

export const verify = command<VerifyFlags, string[]>({
  name: 'verify',
  brief: 'read backups to their last byte and check them',
  description: [
    'Reads every byte of the newest backup of each database, of one backup, or of all: checksums, decryption, decompression, and the structure of the dump. Without the key of an encrypted backup only its stored bytes are compared, and that is said.',
    'With --restore each backup is restored into a server that is there for that alone and gone afterwards: of the same product and major version, from what is installed here. Definitions and row counts, and contents where the backup has digests of them, are compared with the manifest, --check looks at the copy, and a report is written beside the backup, which list and show tell of.',
    'The exit code is 7 where data are damaged, or cannot be decrypted with the keys given, where a copy differs or the check fails; 3 where some backups were restored and others could not be tried.',
  ],
  examples: [
    { line: 'holdfast verify', meaning: 'the newest backup of each database' },
    { line: 'holdfast verify --all --since 2026-11-01', meaning: 'every backup of this month' },
    { line: 'holdfast verify 20261120T13 --identity key.txt', meaning: 'an encrypted one' },
    {
      line: "holdfast verify --restore --check 'npm run smoke'",
      meaning: 'restored, and tried by the application',
    },
    { line: 'holdfast verify --restore --all --since 7d', meaning: 'restored, every one of a week' },
  ],
  parameters: {
    flags: {
      all: toggle('every backup that the other options let through'),
      restore: toggle('restore each into a server that is there for that alone'),
      check: text('COMMAND', 'with --restore: run it on the copy, as DATABASE_URL'),
      newer: toggle('with --restore: the nearest newer server will do'),
      server: text('URL', 'with --restore: a server to take, in place of a throwaway'),
      since: date('made at or after this day or time, or since an age (7d, 12h)'),
      until: date('made before this day, time or age'),
      database: text('NAME', 'of this database'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
      identity: keyFlags.identity,
      passphraseFile: keyFlags.passphraseFile,
      maxRate,
      metricsFile,
    },
    positional: {
      kind: 'array',
      parameter: {
        brief: 'latest, an id or its beginning, or a file name  [default: the newest of each]',
        placeholder: 'backup',
        parse: String,
      },
    },
  },
  async run(flags, ...backups) {
    refuseAlone(flags)
    warnOfPasswords(this, [flags.server])
    await withHoldfast(
      this,
      flags,
      (hf, where) => (flags.restore === true ? drill : read)(this, hf, where, flags, backups),
      { databases: false },
    )
  },
})

/** What means nothing without a restore must not look as if it had been heeded. @throws usage.invalid */
function refuseAlone(flags: VerifyFlags): void {
  const alone = (['check', 'newer', 'server'] as const).find((name) => flags[name] !== undefined)
  if (flags.restore === true || alone === undefined) return
  throw new HoldfastError('usage.invalid', `--${flagName(alone)} means something with --restore alone`)
}

async function read(
  { reporter, signal }: CommandLine,
  hf: Holdfast,
  where: Where,
  flags: VerifyFlags,
  backups: readonly string[],
): Promise<void> {
  const report = await hf.verify({ signal, backups, ...filterOf(flags), ...where })
  const failures = report.results.filter((result) => !result.ok)
  for (const { id, error } of failures) reporter.failure(id, error)
  reporter.exitCode = exitOfChecks(failures.map(({ error }) => error))
  reporter.done('verify', verifyDocument(report), (style, columns) => renderVerify(report, style, columns))
}

async function drill(
  { reporter, signal, env }: CommandLine,
  hf: Holdfast,
  where: Where,
  flags: VerifyFlags,
  backups: readonly string[],
): Promise<void> {
  const { check, newer, server } = flags
  const report = await hf.drill({
    ...{ signal, backups, ...filterOf(flags), ...where },
    ...(check === undefined ? {} : { check }),
    ...(newer === undefined ? {} : { newer }),
    ...(server === undefined ? {} : { into: server }),
  })
  for (const { id, error } of report.results) if (error !== undefined) reporter.failure(id, error)
  reporter.exitCode = exitOfDrills(report.results)
  reporter.done('verify', drillDocument(report), (style, columns) =>
    renderDrill(report, style, columns, env.clock.now()),
  )
}

function filterOf({ all, since, until, database }: VerifyFlags) {
  return {
    ...(all === undefined ? {} : { all }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(database === undefined ? {} : { database }),
  }
}
