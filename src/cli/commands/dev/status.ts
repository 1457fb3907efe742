import { command } from '../../command.js'
import { infoDocument } from '../../render/json/dev.js'
import { renderInfo } from '../../render/text/dev.js'
import { withDev, serverFlags, type ServerFlags } from './selection.js'

export const devStatus = command<ServerFlags>({
  name: 'dev status',
  brief: 'tell whether a development server runs, and where',
  description: [
    'Says whether the server runs and answers, on which port, as which process, of which version, and how much its data take.',
  ],
  examples: [
    { line: 'holdfast dev status', meaning: 'the only one there is' },
    { line: 'holdfast dev status --json', meaning: 'for scripts' },
  ],
  parameters: {
    flags: { ...serverFlags },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      const info = await dev.status(which)
      this.reporter.answer('dev status', infoDocument(info), (style) => renderInfo(info, style))
    })
  },
})
