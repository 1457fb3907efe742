import { command } from '../../command.js'
import { toggle } from '../../flags.js'
import { withDev, serverFlags, type ServerFlags } from './selection.js'

interface Flags extends ServerFlags {
  readonly showSecrets?: boolean
}

export const devGuide = command<Flags>({
  name: 'dev guide',
  brief: 'print the commands one always looks up, for this server',
  description: [
    'How to connect, create, dump, load and look at logs, filled in with the port, user and paths of this server. A template of your own takes its place by devServers.ENGINE.guide. Passwords are hidden unless --show-secrets is given.',
  ],
  examples: [
    { line: 'holdfast dev guide', meaning: 'of the only server' },
    { line: 'holdfast dev guide --show-secrets', meaning: 'to copy from' },
  ],
  parameters: {
    flags: { ...serverFlags, showSecrets: toggle('print the password too') },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      const { showSecrets } = flags
      const guide = await dev.guide({ ...which, ...(showSecrets === undefined ? {} : { showSecrets }) })
      this.reporter.answer('dev guide', { guide }, () => guide.trimEnd())
    })
  },
})
