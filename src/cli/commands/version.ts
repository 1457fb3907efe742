import { holdfastVersion } from '../../version.js'
import { command } from '../command.js'

export const version = command({
  name: 'version',
  brief: 'print the version',
  description: ['Prints the version of Holdfast; holdfast --version does the same.'],
  examples: [
    { line: 'holdfast --version', meaning: 'the version alone' },
    { line: 'holdfast version --json', meaning: 'for a program' },
  ],
  parameters: {},
  run() {
    this.reporter.answer('version', { version: holdfastVersion }, () => holdfastVersion)
  },
})
