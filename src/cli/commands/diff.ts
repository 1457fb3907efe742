import { errorTable, HoldfastError } from '../../errors.js'
import { command } from '../command.js'
import { count, text, toggle } from '../flags.js'
import { keyFlags, type KeyFlags } from '../keys.js'
import { diffDocument } from '../render/json/diff.js'
import { renderDiff } from '../render/text/diff.js'
import { warnOfPasswords, withHoldfast } from '../session.js'

interface DiffFlags extends KeyFlags {
  readonly database?: string
  readonly storage?: string
  readonly exitCode?: boolean
  readonly rows?: boolean
  readonly limit?: number
  readonly server?: string
}

export const diff = command<DiffFlags, [from?: string, to?: string]>({
  name: 'diff',
  brief: 'what differs between two backups, or a backup and its database',
  description: [
    'Compares the fingerprints of two backups, or of a backup and its database as it is (live): tables, row counts, digests of rows where the backup has them, definitions, and the counters that ids come from. Nothing is restored.',
    'With --rows it says which rows differ, by their primary keys, and what they hold: backups are restored into throwaway servers, as by verify --restore; portable dumps are read.',
  ],
  examples: [
    { line: 'holdfast diff', meaning: 'the latest backup and the database as it is' },
    { line: 'holdfast diff 20261119T13 20261120T13', meaning: 'two backups' },
    { line: 'holdfast diff --rows', meaning: 'which rows, and what they held' },
    { line: 'holdfast diff ./dump live --rows', meaning: 'what a portable dump would change' },
    { line: 'holdfast diff latest live --exit-code', meaning: 'for scripts: 7 where anything differs' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'backups of this database'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
      rows: toggle('which rows, by their primary keys, and what has changed in them'),
      limit: count('with --rows: so many of each kind and table  [default: 20]'),
      server: text('URL', 'with --rows: a server to take, in place of a throwaway'),
      identity: keyFlags.identity,
      passphraseFile: keyFlags.passphraseFile,
      exitCode: toggle('end with 7 where anything differs, with 0 where all is the same'),
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'latest, an id or its beginning, or a portable dump  [default: latest]',
          placeholder: 'from',
          parse: String,
          optional: true,
        },
        {
          brief: 'another one, or live  [default: live]',
          placeholder: 'to',
          parse: String,
          optional: true,
        },
      ],
    },
  },
  async run(flags, from, to) {
    const { database, exitCode, rows, limit, server } = flags
    const alone = (['limit', 'server'] as const).find((name) => flags[name] !== undefined)
    if (alone !== undefined && rows !== true)
      throw new HoldfastError('usage.invalid', `--${alone} means something with --rows alone`)
    warnOfPasswords(this, [server])
    await withHoldfast(this, flags, async (hf, where) => {
      const report = await hf.diff({
        signal: this.signal,
        ...where,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(database === undefined ? {} : { database }),
        ...(rows === undefined ? {} : { rows }),
        ...(limit === undefined ? {} : { limit }),
        ...(server === undefined ? {} : { into: server }),
      })
      this.reporter.answer('diff', diffDocument(report), (style) => renderDiff(report, style))
      if (exitCode === true && report.comparison.differences.length > 0)
        this.reporter.exitCode = errorTable['integrity.differs'].exit
    })
  },
})
