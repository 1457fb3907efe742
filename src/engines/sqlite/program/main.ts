import { asHoldfastError } from '../../../errors.js'
import { inspectDatabase } from './catalog.js'
import { backUp } from './backup.js'
import { checkDatabase } from './check.js'
import { copyFile } from './copy.js'
import { openDatabase } from './database.js'
import { dumpSql } from './dump.js'
import { takeFingerprint } from './fingerprint.js'
import { install } from './install.js'
import { installPart } from './install-part.js'
import { loadSql } from './load.js'
import { sayError, write } from './output.js'
import { answerRows } from './rows-out.js'
import { takeRows } from './rows-in.js'
import { settleSwap, swapFiles } from './swap.js'
import type { CommandName, Commands } from './protocol.js'

const commands: {
  readonly [Name in CommandName]: (input: Commands[Name]['input']) => Promise<Commands[Name]['output'] | void>
} = {
  async inspect({ path }) {
    const database = await openDatabase(path, 'read')
    return inspectDatabase(database)
  },
  check: checkDatabase,
  backup: backUp,
  copy: copyFile,
  dump: dumpSql,
  load: loadSql,
  install,
  'install-part': installPart,
  fingerprint: takeFingerprint,
  swap: swapFiles,
  'settle-swap': settleSwap,
  'rows-out': answerRows,
  'rows-in': takeRows,
}

async function run<Name extends CommandName>(name: Name, input: Commands[Name]['input']): Promise<void> {
  const answer = await commands[name](input)
  if (answer !== undefined) await write(JSON.stringify(answer))
}

try {
  const [, , name, input] = process.argv
  await run(name as CommandName, JSON.parse(input ?? 'null') as Commands[CommandName]['input'])
} catch (error) {
  sayError(asHoldfastError(error))
  process.exitCode = 1
}
