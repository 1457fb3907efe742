import { command } from '../../command.js'
import { toggle } from '../../flags.js'
import { confirmLoss, withDev, serverFlags, type ServerFlags } from './selection.js'

interface Flags extends ServerFlags {
  readonly yes?: boolean
  readonly backups?: boolean
}

export const devDestroy = command<Flags>({
  name: 'dev destroy',
  brief: 'remove a development server and its data',
  description: [
    'Stops the server and removes its data. Its backups stay, unless --backups is given. Only folders that holdfast dev has made are ever removed.',
  ],
  examples: [
    { line: 'holdfast dev destroy --yes', meaning: 'without a question' },
    { line: 'holdfast dev destroy --engine postgresql --name old --backups', meaning: 'and its backups' },
  ],
  parameters: {
    flags: { ...serverFlags, yes: toggle('do not ask'), backups: toggle('its backups too') },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      await confirmLoss(this, flags, 'Remove')
      const { backups } = flags
      const destroyed = await dev.destroy({ ...which, ...(backups === undefined ? {} : { backups }) })
      this.reporter.done('dev destroy', { destroyed }, () => (destroyed ? 'removed' : 'there was none'))
    })
  },
})
