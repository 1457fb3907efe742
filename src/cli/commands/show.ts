import { command } from '../command.js'
import { text } from '../flags.js'
import { showDocument } from '../render/json/show.js'
import { renderShow } from '../render/text/show.js'
import { withHoldfast } from '../session.js'

interface ShowFlags {
  readonly database?: string
  readonly storage?: string
}

export const show = command<ShowFlags, [backup?: string]>({
  name: 'show',
  brief: 'show everything that is known of a backup',
  description: [
    'Shows the manifest of a backup: where its data came from, how they were dumped, and where they lie.',
  ],
  examples: [
    { line: 'holdfast show', meaning: 'the latest backup' },
    { line: 'holdfast show 20261120T13', meaning: 'by the beginning of its id' },
    { line: 'holdfast show latest --database shop --json', meaning: 'the whole manifest' },
  ],
  parameters: {
    flags: {
      database: text('NAME', 'of this database'),
      storage: text('NAME', 'storage to look in: a configured name, or a folder  [default: all]'),
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'latest, an id or its beginning, or a file name  [default: latest]',
          placeholder: 'backup',
          parse: String,
          optional: true,
        },
      ],
    },
  },
  async run(flags, backup) {
    await withHoldfast(
      this,
      flags,
      async (hf, where) => {
        const found = await hf.show({
          signal: this.signal,
          ...(backup === undefined ? {} : { backup }),
          ...(flags.database === undefined ? {} : { database: flags.database }),
          ...where,
        })
        this.reporter.answer('show', showDocument(found), (style) =>
          renderShow(found, style, this.env.clock.now()),
        )
      },
      { databases: false },
    )
  },
})
