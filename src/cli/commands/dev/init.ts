import { command } from '../../command.js'
import { portFlag, showConnection, withDev, serverFlags, type PortFlags } from './selection.js'

export const devInit = command<PortFlags>({
  name: 'dev init',
  brief: 'make a development server: its folder and its data',
  description: [
    'Makes .holdfast/dev/ENGINE/NAME with new data and a password of its own, from the server that is installed on this machine. A server that is there already is left as it is.',
  ],
  examples: [
    { line: 'holdfast dev init --engine postgresql', meaning: 'data, not started' },
    { line: 'holdfast dev init --engine mariadb --port 3307', meaning: 'on a port of your choice' },
  ],
  parameters: {
    flags: { ...serverFlags, port: portFlag },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) =>
      showConnection(this, 'dev init', 'made', await dev.init(which)),
    )
  },
})
