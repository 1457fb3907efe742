import { command } from '../../command.js'
import { withDev, serverFlags, type ServerFlags } from './selection.js'

export const devStop = command<ServerFlags>({
  name: 'dev stop',
  brief: 'stop a development server',
  description: ['Ends the server in good order. One that does not run is no error.'],
  examples: [
    { line: 'holdfast dev stop', meaning: 'the only one there is' },
    { line: 'holdfast dev stop --engine mariadb --name feature/invoices', meaning: 'one of several' },
  ],
  parameters: {
    flags: { ...serverFlags },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      const stopped = await dev.stop(which)
      this.reporter.done('dev stop', { stopped }, () => (stopped ? 'stopped' : 'it did not run'))
    })
  },
})
