import type { BackupFilter } from '../../operations/requests.js'
import { command, type DocumentedCommand } from '../command.js'
import { exitOfChecks } from '../exit.js'
import { date, oneOf, text, yesOrNo } from '../flags.js'
import { listDocument } from '../render/json/list.js'
import { renderList } from '../render/text/list.js'
import { withHoldfast } from '../session.js'

interface ListFlags extends BackupFilter {
  readonly storage?: string
}

export const list: DocumentedCommand = command<ListFlags>({
  name: 'list',
  brief: 'list backups',
  description: [
    'Lists the backups in all configured storages, newest first. It needs nothing but the storage: no database has to be there. A manifest that cannot be read is an error, and the exit code is then 7.',
  ],
  examples: [
    { line: 'holdfast list', meaning: 'every backup' },
    { line: 'holdfast list --database shop --since 2026-11-01', meaning: 'of one database, since a day' },
    { line: 'holdfast list --no-encrypted --json', meaning: 'what is not encrypted, for a program' },
    { line: 'holdfast list --storage /mnt/old/backups', meaning: 'in a folder, without configuration' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'of this database: its name in the configuration, or its own'),
      server: text('NAME', 'made on this server'),
      compressed: yesOrNo('only compressed ones, or only others'),
      encrypted: yesOrNo('only encrypted ones, or only others'),
      kind: oneOf(['database', 'files'], 'of databases or of files'),
      since: date('made at or after this day or time, or since an age (7d, 12h)'),
      until: date('made before this day, time or age'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
    },
  },
  async run(flags) {
    await withHoldfast(
      this,
      flags,
      async (hf, where) => {
        const report = await hf.list({ ...flags, ...where, signal: this.signal })
        for (const { storage, key, error } of report.damaged)
          this.reporter.failure(`${storage}: ${key}`, error)
        this.reporter.exitCode = exitOfChecks(report.damaged.map(({ error }) => error))
        const { serverName, storages } = hf.settings
        const view = {
          now: this.env.clock.now(),
          serverName,
          oneStorage: where.storage !== undefined || storages.size === 1,
        }
        this.reporter.answer('list', listDocument(report), (style, columns) =>
          renderList(report, view, style, columns),
        )
      },
      { databases: false },
    )
  },
})
