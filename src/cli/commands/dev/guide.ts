import { command } from '../../command.js'
import { toggle } from '../../flags.js'
import { selected, serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

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
  async run(flags) {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        const { showSecrets } = flags
        const guide = await hf.dev.guide({
          ...selected(this, flags),
          ...(showSecrets === undefined ? {} : { showSecrets }),
        })
        this.reporter.answer('dev guide', { guide }, () => guide.trimEnd())
      },
      { databases: false },
    )
  },
})
