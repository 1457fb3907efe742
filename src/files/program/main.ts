import { asHoldfastError } from '../../errors.js'
import { examine } from './examine.js'
import { pack } from './pack.js'
import type { CommandName, Commands } from './protocol.js'
import { sayError, writeOut } from './stdio.js'
import { sweep } from './sweep.js'
import { unpack } from './unpack.js'

const commands: {
  readonly [Name in CommandName]: (input: Commands[Name]['input']) => Commands[Name]['output'] | void
} = { pack, examine, unpack, sweep }

function run<Name extends CommandName>(name: Name, input: Commands[Name]['input']): void {
  const answer = commands[name](input)
  if (answer !== undefined) writeOut(Buffer.from(JSON.stringify(answer)))
}

try {
  const [, , name, input] = process.argv
  run(name as CommandName, JSON.parse(input ?? 'null') as Commands[CommandName]['input'])
} catch (error) {
  sayError(asHoldfastError(error))
  process.exitCode = 1
}
