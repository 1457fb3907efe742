import { command } from '../../command.js'
import { connectionDocument } from '../../render/json/dev.js'
import { renderConnection } from '../../render/text/dev.js'
import { portFlag, selected, serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

interface Flags extends ServerFlags {
  readonly port?: number
}

export const devInit = command<Flags>({
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
  async run(flags) {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        const made = await hf.dev.init({
          ...selected(this, flags),
          ...(flags.port === undefined ? {} : { port: flags.port }),
        })
        this.reporter.done('dev init', connectionDocument(made), (style) =>
          renderConnection('made', made, style),
        )
      },
      { databases: false },
    )
  },
})
