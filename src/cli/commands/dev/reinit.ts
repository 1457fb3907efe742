import { command } from '../../command.js'
import { connectionDocument } from '../../render/json/dev.js'
import { renderConnection } from '../../render/text/dev.js'
import { toggle } from '../../flags.js'
import { confirmLoss, selected, serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

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
  async run(flags) {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        await confirmLoss(
          this,
          flags.yes,
          `Remove the data of ${flags.engine ?? 'the server'} ${flags.name ?? ''}?`,
        )
        const made = await hf.dev.reinit(selected(this, flags))
        this.reporter.done('dev reinit', connectionDocument(made), (style) =>
          renderConnection('new', made, style),
        )
      },
      { databases: false },
    )
  },
})
