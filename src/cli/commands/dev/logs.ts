import { command } from '../../command.js'
import { HoldfastError } from '../../../errors.js'
import { text, toggle } from '../../flags.js'
import { printableLines } from '../../terminal.js'
import { selected, serverFlags, type ServerFlags } from './selection.js'
import { withHoldfast } from '../../session.js'

interface Flags extends ServerFlags {
  readonly lines?: string
  readonly follow?: boolean
}

export const devLogs = command<Flags>({
  name: 'dev logs',
  brief: 'show what a development server prints',
  description: ['Prints the last lines of its log; with --follow also those that come, until Ctrl-C.'],
  examples: [
    { line: 'holdfast dev logs', meaning: 'the last 100 lines' },
    { line: 'holdfast dev logs --lines 20 --follow', meaning: 'and those that come' },
  ],
  parameters: {
    flags: {
      ...serverFlags,
      lines: text('COUNT', 'how many from the end  [default: 100]'),
      follow: toggle('go on until Ctrl-C'),
    },
  },
  async run(flags) {
    await withHoldfast(
      this,
      {},
      async (hf) => {
        const { lines: given, follow } = flags
        const lines = given === undefined ? undefined : Number(given)
        if (lines !== undefined && !(Number.isInteger(lines) && lines > 0))
          throw new HoldfastError('usage.invalid', `${given} is not a number of lines`)
        const request = { ...selected(this, flags), ...(lines === undefined ? {} : { lines }) }
        if (follow === true) {
          const onText = (chunk: string) => void this.stdout.write(printableLines(chunk))
          await hf.dev.logs({ ...request, onText })
          return
        }
        const shown = await hf.dev.logs(request)
        this.reporter.answer('dev logs', { lines: shown }, () => printableLines(shown.join('\n')))
      },
      { databases: false },
    )
  },
})
