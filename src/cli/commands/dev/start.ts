import { command } from '../../command.js'
import { portFlag, showConnection, withDev, serverFlags, type PortFlags } from './selection.js'

export const devStart = command<PortFlags>({
  name: 'dev start',
  brief: 'start a development server in the background',
  description: [
    'Starts the server and returns when it has answered a query. Where it is not there it is made first; where it runs already nothing happens. It goes on running when this terminal is closed.',
  ],
  examples: [
    { line: 'holdfast dev start --engine postgresql', meaning: 'a PostgreSQL for this project' },
    { line: 'holdfast dev start --name feature/invoices', meaning: 'beside it one for a branch' },
  ],
  parameters: {
    flags: { ...serverFlags, port: portFlag },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) =>
      showConnection(this, 'dev start', 'runs', await dev.start(which)),
    )
  },
})
