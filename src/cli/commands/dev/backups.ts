import { command } from '../../command.js'
import { backupDocument } from '../../render/json/dev.js'
import { renderBackups } from '../../render/text/dev.js'
import { withDev, serverFlags, type ServerFlags } from './selection.js'

export const devBackups = command<ServerFlags>({
  name: 'dev backups',
  brief: 'list the backups of a development server',
  description: ['Lists what holdfast dev backup has made, the newest first.'],
  examples: [
    { line: 'holdfast dev backups', meaning: 'of the only server' },
    { line: 'holdfast dev backups --json', meaning: 'for scripts' },
  ],
  parameters: {
    flags: { ...serverFlags },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      const backups = await dev.backups(which)
      this.reporter.answer('dev backups', { backups: backups.map(backupDocument) }, (style, columns) =>
        renderBackups(backups, this.env.clock.now(), style, columns),
      )
    })
  },
})
