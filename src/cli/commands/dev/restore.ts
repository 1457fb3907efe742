import { command } from '../../command.js'
import { text, toggle } from '../../flags.js'
import { keyFlags, type KeyFlags } from '../../keys.js'
import { confirmLoss, showConnection, withDev, serverFlags, type ServerFlags } from './selection.js'

interface Flags extends ServerFlags, KeyFlags {
  readonly yes?: boolean
  readonly from?: string
  readonly fromDatabase?: string
}

export const devRestore = command<Flags, [backup?: string]>({
  name: 'dev restore',
  brief: 'restore a backup into a development server',
  description: [
    'Takes the latest backup of the server, or the one named by its name, id, folder or file; with --from one of a configured storage, or of a folder. First the backup is checked, every byte of it; then a new server is filled, whose data take the place of the old ones when they are whole. Encrypted backups need their key.',
  ],
  examples: [
    { line: 'holdfast dev restore before-migration --yes', meaning: 'the newest of that name' },
    { line: 'holdfast dev restore latest --from main', meaning: 'the latest backup of production' },
    { line: 'holdfast dev restore ./dump.sql.gz', meaning: 'a dump made elsewhere' },
  ],
  parameters: {
    flags: {
      ...serverFlags,
      yes: toggle('do not ask'),
      from: text('STORAGE', 'take the backup from this storage: a configured name, or a folder'),
      fromDatabase: text(
        'NAME',
        'with --from: a backup of this database  [default: the only one of the engine]',
      ),
      identity: keyFlags.identity,
      passphraseFile: keyFlags.passphraseFile,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'latest, a name, an id, a folder or a file  [default: latest]',
          parse: String,
          placeholder: 'backup',
          optional: true,
        },
      ],
    },
  },
  run({ yes, from, fromDatabase, ...given }, backup) {
    const flags = from === undefined ? given : { ...given, storage: from }
    return withDev(this, flags, async (dev, which) => {
      await confirmLoss(this, { ...given, ...(yes === undefined ? {} : { yes }) }, 'Replace')
      const restored = await dev.restore({
        ...which,
        ...(backup === undefined ? {} : { backup }),
        ...(from === undefined ? {} : { from }),
        ...(fromDatabase === undefined ? {} : { fromDatabase }),
      })
      showConnection(this, 'dev restore', 'restored', restored)
    })
  },
})
