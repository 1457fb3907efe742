import { command } from '../../command.js'
import { toggle } from '../../flags.js'
import { confirmLoss, showConnection, withDev, serverFlags, type ServerFlags } from './selection.js'

interface Flags extends ServerFlags {
  readonly yes?: boolean
}

export const devReinit = command<Flags>({
  name: 'dev reinit',
  brief: 'make the data of a development server anew, empty',
  description: [
    'Removes the data and makes new ones, with the same port, user and password. A server that ran runs again. Its backups stay.',
  ],
  examples: [
    { line: 'holdfast dev reinit', meaning: 'ask, then begin again' },
    { line: 'holdfast dev reinit --yes', meaning: 'in a script' },
  ],
  parameters: {
    flags: { ...serverFlags, yes: toggle('do not ask') },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      await confirmLoss(this, flags, 'Remove')
      showConnection(this, 'dev reinit', 'new', await dev.reinit(which))
    })
  },
})
