import type { FilesListRequest } from '../../operations/requests.js'
import { command } from '../command.js'
import { exitOfChecks } from '../exit.js'
import { date, text, yesOrNo } from '../flags.js'
import { listDocument } from '../render/json/list.js'
import { renderList } from '../render/text/list.js'
import { withHoldfast } from '../session.js'

type FilesListFlags = Omit<FilesListRequest, 'signal'>

export const filesList = command<FilesListFlags>({
  name: 'files list',
  brief: 'list backups of files',
  description: [
    'Lists the backups of files in all configured storages, newest first: holdfast list --kind files. It needs nothing but the storage.',
  ],
  examples: [
    { line: 'holdfast files list', meaning: 'of every set' },
    { line: 'holdfast files list --set media --since 2026-11-01', meaning: 'of one set, since a day' },
  ],
  parameters: {
    flags: {
      set: text('NAME', 'of this set'),
      server: text('NAME', 'made on this server'),
      compressed: yesOrNo('only compressed ones, or only others'),
      encrypted: yesOrNo('only encrypted ones, or only others'),
      since: date('made at or after this day or time'),
      until: date('made before this day or time'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
    },
  },
  async run(flags) {
    await withHoldfast(
      this,
      flags,
      async (hf, where) => {
        const report = await hf.files.list({ ...flags, ...where, signal: this.signal })
        for (const { storage, key, error } of report.damaged)
          this.reporter.failure(`${storage}: ${key}`, error)
        this.reporter.exitCode = exitOfChecks(report.damaged.map(({ error }) => error))
        const { serverName, storages } = hf.settings
        const view = {
          now: this.env.clock.now(),
          serverName,
          oneStorage: where.storage !== undefined || storages.size === 1,
        }
        this.reporter.answer('files list', listDocument(report), (style, columns) =>
          renderList(report, view, style, columns),
        )
      },
      { databases: false },
    )
  },
})
