import { command } from '../command.js'
import { resealDocument } from '../render/json/reseal.js'
import { renderReseal } from '../render/text/reseal.js'
import { withHoldfast } from '../session.js'

export const reseal = command<Record<never, never>, readonly string[]>({
  name: 'reseal',
  brief: 'make portable files valid again after you have edited them',
  description: [
    'A file of holdfast dump ends with the count and the digest of its rows, so that load notices one that was damaged or edited. After you have edited files on purpose, this checks each row, and writes the count and the digest at their ends, and those in the manifest beside them, anew. A file in which a line is wrong stays as it is, and the line is named.',
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
