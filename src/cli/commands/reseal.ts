import { command } from '../command.js'
import { resealDocument } from '../render/json/reseal.js'
import { renderReseal } from '../render/text/reseal.js'
import { withHoldfast } from '../session.js'

export const reseal = command<Record<never, never>, readonly string[]>({
  name: 'reseal',
  brief: 'write the footers of edited portable files anew',
  description: [
    'A file of holdfast dump ends with the number and the digest of its rows, so that a damaged or edited one is noticed. After you have edited files on purpose, this checks each row and writes the footers and the manifest anew. A file in which a line is wrong stays as it is, and the line is named.',
  ],
  examples: [
    { line: 'holdfast reseal', meaning: 'the files of ./datadir' },
    { line: 'holdfast reseal fixtures/tables/users.ndjson', meaning: 'one file' },
  ],
  parameters: {
    flags: {},
    positional: {
      kind: 'array',
      parameter: { brief: 'folders or files  [default: datadir]', placeholder: 'path', parse: String },
    },
  },
  async run(_flags, ...paths) {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        const report = await hf.reseal({ signal: this.signal, ...(paths.length === 0 ? {} : { paths }) })
        this.reporter.done('reseal', resealDocument(report), (style) => renderReseal(report, style))
      },
      { databases: false },
    )
  },
})
