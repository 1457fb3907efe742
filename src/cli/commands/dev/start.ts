import { command } from '../../command.js'
import { connectionDocument } from '../../render/json/dev.js'
import { renderConnection } from '../../render/text/dev.js'
import { portFlag, selected, serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

interface Flags extends ServerFlags {
  readonly port?: number
}

export const devStart = command<Flags>({
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
  async run(flags) {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        const started = await hf.dev.start({
          ...selected(this, flags),
          ...(flags.port === undefined ? {} : { port: flags.port }),
        })
        this.reporter.done('dev start', connectionDocument(started), (style) =>
          renderConnection('runs', started, style),
        )
      },
      { databases: false },
    )
  },
})
