import { command } from '../../command.js'
import { connectionDocument } from '../../render/json/dev.js'
import { renderConnection } from '../../render/text/dev.js'
import { text, toggle } from '../../flags.js'
import { keyFlags, type KeyFlags } from '../../keys.js'
import { confirmLoss, selected, serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

interface Flags extends ServerFlags, KeyFlags {
  readonly yes?: boolean
  readonly from?: string
  readonly fromDatabase?: string
}

export const devRestore = command<Flags, [backup?: string]>({
  name: 'dev restore',
  brief: 'restore a backup into a development server',
  description: [
    'Takes the latest backup of the server, or the one named by its name, id, folder or file; with --from one of a configured storage, or of a folder. First the backup is checked, every byte of it; only then the data are made anew and filled. Encrypted backups need their key.',
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
  async run({ yes, from, fromDatabase, ...flags }, backup) {
    const { engine: _, name: __, ...keys } = flags
    await withHoldfast(
      this,
      { ...keys, ...(from === undefined ? {} : { storage: from }) },
      async (hf) => {
        await confirmLoss(
          this,
          yes,
          `Replace the data of ${flags.engine ?? 'the server'} ${flags.name ?? ''}?`,
        )
        const restored = await hf.dev.restore({
          ...selected(this, flags),
          ...(backup === undefined ? {} : { backup }),
          ...(from === undefined ? {} : { from }),
          ...(fromDatabase === undefined ? {} : { fromDatabase }),
        })
        this.reporter.done('dev restore', connectionDocument(restored), (style) =>
          renderConnection('restored', restored, style),
        )
      },
      { databases: false },
    )
  },
})
