import { command } from '../command.js'
import { exitOfChecks } from '../exit.js'
import { text } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { doctorDocument } from '../render/json/doctor.js'
import { renderDoctor } from '../render/text/doctor.js'
import { warnOfPasswords, withHoldfast } from '../session.js'

interface DoctorFlags extends Pick<KeyFlags, 'identity'> {
  readonly storage?: string
}

export const doctor = command<DoctorFlags, readonly string[]>({
  name: 'doctor',
  brief: 'check that everything a backup needs is there',
  description: [
    'Checks the configuration, each database and the tools for it, each storage by writing, reading and deleting a small object, the recipients of the encryption, the clock, and whether a private key that is given opens what is encrypted for them. It changes nothing else.',
    'With --storage that storage is tried thoroughly: everything that Holdfast relies on, with some 1 500 objects of up to 64 MiB, in a place of their own that is empty again afterwards.',
  ],
  examples: [
    { line: 'holdfast doctor', meaning: 'everything' },
    { line: 'holdfast doctor shop --storage offsite', meaning: 'one database, and one storage thoroughly' },
    { line: 'holdfast doctor --identity key.txt', meaning: 'does this key open my backups?' },
    { line: 'holdfast doctor --json', meaning: 'for monitoring' },
  ],
  parameters: {
    flags: {
      storage: text(
        'NAME',
        'storage to try thoroughly: a configured name, a folder or a URL  [default: a look at each]',
      ),
      identity: keyFlags.identity,
    },
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
    warnOfPasswords(this, databases)
    await withHoldfast(this, flags, async (hf, where) => {
      const report = await hf.doctor({
        signal: this.signal,
        databases,
        ...where,
      })
      const failed = report.checks.filter(({ status }) => status === 'error')
      this.reporter.exitCode = exitOfChecks(failed.map(({ error }) => error))
      this.reporter.answer('doctor', doctorDocument(report), (style, columns) =>
        renderDoctor(report, style, columns),
      )
    })
  },
})
