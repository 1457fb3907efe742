import { command } from '../../command.js'
import { infoDocument } from '../../render/json/dev.js'
import { renderInfos } from '../../render/text/dev.js'
import { serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

export const devList = command<ServerFlags>({
  name: 'dev list',
  brief: 'list the development servers of this project',
  description: [
    'Lists every server under .holdfast/dev: those that run, those that are stopped, and those of which only backups are left.',
  ],
  examples: [
    { line: 'holdfast dev list', meaning: 'all of them' },
    { line: 'holdfast dev list --json', meaning: 'for scripts' },
  ],
  parameters: {
    flags: { ...serverFlags },
  },
  async run() {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        const infos = await hf.dev.list()
        this.reporter.answer('dev list', { servers: infos.map(infoDocument) }, (style, columns) =>
          renderInfos(infos, style, columns),
        )
      },
      { databases: false },
    )
  },
})
