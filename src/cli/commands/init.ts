import { command } from '../command.js'
import { oneOf, toggle } from '../flags.js'
import { initDocument } from '../render/json/init.js'
import { renderInit } from '../render/text/init.js'

interface InitFlags {
  readonly format?: 'ts' | 'mjs'
  readonly force?: boolean
}

export const init = command<InitFlags>({
  name: 'init',
  brief: 'write a configuration file from what is found here',
  description: [
    'Looks for databases in DATABASE_URL, .env, and the configurations of Prisma, Drizzle, Knex and TypeORM, and writes a commented holdfast.config.ts. URLs stay in their variables: no secret is written. The file that is written loads .env where one was found; Holdfast itself reads none.',
  ],
  examples: [
    { line: 'holdfast init', meaning: 'write holdfast.config.ts' },
    { line: 'holdfast init --format mjs', meaning: 'JavaScript in place of TypeScript' },
    { line: 'holdfast init --force', meaning: 'replace the file that is there' },
  ],
  parameters: {
    flags: {
      format: oneOf(['ts', 'mjs'], 'language of the file  [default: ts]'),
      force: toggle('replace a configuration file that is there'),
    },
  },
  async run(flags) {
    const [{ init: writeConfig }, { builtinRegistry }] = await Promise.all([
      import('../../config/init.js'),
      import('../../builtin.js'),
    ])
    const report = await writeConfig(this.env, flags, builtinRegistry().engines)
    this.reporter.done('init', initDocument(report), (style) => renderInit(report, style))
  },
})
