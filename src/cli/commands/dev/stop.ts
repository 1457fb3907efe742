import { command } from '../../command.js'
import { selected, serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

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
  async run(flags) {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        const stopped = await hf.dev.stop(selected(this, flags))
        this.reporter.done('dev stop', { stopped }, () => (stopped ? 'stopped' : 'it did not run'))
      },
      { databases: false },
    )
  },
})
