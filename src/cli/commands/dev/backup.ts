import { command } from '../../command.js'
import { backupDocument } from '../../render/json/dev.js'
import { renderBackup } from '../../render/text/dev.js'
import { withDev, serverFlags, type ServerFlags } from './selection.js'

export const devBackup = command<ServerFlags, [backupName?: string]>({
  name: 'dev backup',
  brief: 'back up a development server into its folder',
  description: [
    'Makes a backup, with the time and the name that you give it, such as before-migration. A server that does not run is started for the while. holdfast backup is for databases that matter: these backups lie beside the data.',
  ],
  examples: [
    { line: 'holdfast dev backup before-migration', meaning: 'to come back to' },
    { line: 'holdfast dev backup', meaning: 'with the time alone' },
  ],
  parameters: {
    flags: { ...serverFlags },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'what to call it', parse: String, placeholder: 'label', optional: true }],
    },
  },
  run(flags, backupName) {
    return withDev(this, flags, async (dev, which) => {
      const made = await dev.backup({ ...which, ...(backupName === undefined ? {} : { backupName }) })
      this.reporter.done('dev backup', backupDocument(made), () => renderBackup(made))
    })
  },
})
