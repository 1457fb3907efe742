import { command } from '../command.js'
import { metricsFile, text, toggle } from '../flags.js'
import { pruneDocument } from '../render/json/prune.js'
import { renderPrune } from '../render/text/prune.js'
import { withHoldfast } from '../session.js'

interface PruneFlags {
  readonly dryRun?: boolean
  readonly acceptMissing?: boolean
  readonly storage?: string
  readonly metricsFile?: string
}

export const prune = command<PruneFlags, readonly string[]>({
  name: 'prune',
  brief: 'remove old backups by the retention rules',
  description: [
    'Removes what the configured retention no longer keeps, and what interrupted runs left behind more than a day ago. The newest good backup of each database always stays. Without retention every backup stays.',
  ],
  examples: [
    { line: 'holdfast prune --dry-run', meaning: 'show what would go, and why the rest stays' },
    { line: 'holdfast prune', meaning: 'remove it' },
    { line: 'holdfast prune shop --storage offsite', meaning: 'one database, one storage' },
  ],
  parameters: {
    flags: {
      dryRun: toggle('print the plan, remove nothing'),
      acceptMissing: toggle('take the loss of signed backups as known: verify stops telling of it'),
      storage: text('NAME', 'storage to prune: a configured name, or a folder  [default: all]'),
      metricsFile,
    },
    positional: {
      kind: 'array',
      parameter: {
        brief: 'name of a database in the storage  [default: all]',
        placeholder: 'database',
        parse: String,
      },
    },
  },
  async run(flags, ...databases) {
    await withHoldfast(this, flags, async (hf, where) => {
      const report = await hf.prune({
        signal: this.signal,
        databases,
        ...(flags.dryRun === undefined ? {} : { dryRun: flags.dryRun }),
        ...(flags.acceptMissing === undefined ? {} : { acceptMissing: flags.acceptMissing }),
        ...where,
      })
      const now = this.env.clock.now()
      this.reporter[report.dryRun ? 'answer' : 'done']('prune', pruneDocument(report), (style, columns) =>
        renderPrune(report, now, style, columns),
      )
    })
  },
})
