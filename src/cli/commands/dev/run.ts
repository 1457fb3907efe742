import { command } from '../../command.js'
import { connectionDocument } from '../../render/json/dev.js'
import { renderConnection } from '../../render/text/dev.js'
import { printableLines } from '../../terminal.js'
import { portFlag, withDev, serverFlags, type PortFlags } from './selection.js'

export const devRun = command<PortFlags>({
  name: 'dev run',
  brief: 'run a development server until Ctrl-C',
  description: [
    'Runs the server in the foreground and shows what it prints. Ctrl-C ends it in good order; nothing of it is left running, also where this process is killed.',
  ],
  examples: [
    { line: 'holdfast dev run --engine postgresql', meaning: 'in a terminal of its own' },
    { line: 'holdfast dev run --port 5433', meaning: 'on this port' },
  ],
  parameters: {
    flags: { ...serverFlags, port: portFlag },
  },
  run(flags) {
    return withDev(this, flags, (dev, which) =>
      dev.run({
        ...which,
        onReady: (up) =>
          this.reporter.answer('dev run', connectionDocument(up), (style) =>
            renderConnection('runs', up, style),
          ),
        onLog: (text) => this.reporter.note(() => printableLines(text.replace(/\n$/u, ''))),
      }),
    )
  },
})
