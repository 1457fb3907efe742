import { command } from '../../command.js'
import { infoDocument } from '../../render/json/dev.js'
import { renderInfos } from '../../render/text/dev.js'
import { withDev } from './selection.js'

export const devList = command({
  name: 'dev list',
  brief: 'list the development servers of this project',
  description: [
    'Lists every server under .holdfast/dev: those that run, those that are stopped, and those of which only backups are left.',
  ],
  examples: [
    { line: 'holdfast dev list', meaning: 'all of them' },
    { line: 'holdfast dev list --json', meaning: 'for scripts' },
  ],
  parameters: {},
  run() {
    return withDev(this, {}, async (dev) => {
      const infos = await dev.list()
      this.reporter.answer('dev list', { servers: infos.map(infoDocument) }, (style, columns) =>
        renderInfos(infos, style, columns),
      )
    })
  },
})
