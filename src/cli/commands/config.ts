import { command } from '../command.js'
import { configDocument } from '../render/json/config.js'
import { renderConfig } from '../render/text/config.js'
import { withHoldfast } from '../session.js'

export const config = command({
  name: 'config',
  brief: 'print the settings in effect and where they came from',
  description: [
    'Prints every setting with its value and whether it came from the configuration file, an environment variable or a default. Passwords and other secrets are hidden. Nothing is contacted.',
  ],
  examples: [
    { line: 'holdfast config', meaning: 'as a table' },
    { line: 'holdfast config --config ci.config.ts --json', meaning: 'of another file, for a program' },
  ],
  parameters: {},
  async run() {
    await withHoldfast(this, {}, (hf) => {
      const document = configDocument(hf.settings)
      this.reporter.answer('config', document, (style, columns) => renderConfig(document, style, columns))
      return Promise.resolve()
    })
  },
})
