import { command } from '../../command.js'
import { toggle } from '../../flags.js'
import { withDev, serverFlags, type ServerFlags } from './selection.js'

interface Flags extends ServerFlags {
  readonly dotenv?: boolean
}

export const devEnv = command<Flags>({
  name: 'dev env',
  brief: 'print DATABASE_URL and its like, for the shell',
  description: [
    'Prints the variables that applications and the programs of the engine read, with the password: for eval in a shell, or with --dotenv for a file.',
  ],
  examples: [
    { line: 'eval "$(holdfast dev env)"', meaning: 'in this shell' },
    { line: 'holdfast dev env --dotenv > .env.local', meaning: 'for a file' },
  ],
  parameters: {
    flags: { ...serverFlags, dotenv: toggle('lines of a .env file') },
  },
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      const connection = await dev.env(which)
      const variables = [['DATABASE_URL', connection.url] as const, ...connection.variables]
      const document = Object.fromEntries(variables.map(([key, value]) => [key, value.reveal()]))
      const prefix = flags.dotenv === true ? '' : 'export '
      this.reporter.answer('dev env', { variables: document }, () =>
        variables.map(([key, value]) => `${prefix}${key}=${shellWord(value.reveal())}`).join('\n'),
      )
    })
  },
})

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
