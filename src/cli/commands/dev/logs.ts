import { command } from '../../command.js'
import { HoldfastError } from '../../../errors.js'
import { text, toggle } from '../../flags.js'
import { printableLines } from '../../terminal.js'
import { withDev, serverFlags, type ServerFlags } from './selection.js'

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
  run(flags) {
    return withDev(this, flags, async (dev, which) => {
      const lines = countOf(flags.lines)
      const request = { ...which, ...(lines === undefined ? {} : { lines }) }
      if (flags.follow === true) {
        const onText = (chunk: string) => void this.stdout.write(printableLines(chunk))
        await dev.logs({ ...request, onText })
        return
      }
      const shown = await dev.logs(request)
      this.reporter.answer('dev logs', { lines: shown }, () => printableLines(shown.join('\n')))
    })
  },
})

function countOf(given: string | undefined): number | undefined {
  const count = given === undefined ? undefined : Number(given)
  if (count === undefined || (Number.isInteger(count) && count > 0)) return count
  throw new HoldfastError('usage.invalid', `${given} is not a number of lines`)
}
