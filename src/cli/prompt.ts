import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import type { CommandLine } from './command.js'

/** Whether somebody can be asked: both ends of the conversation are a terminal. */
export function canAsk(cli: CommandLine): boolean {
  return cli.stdin.isTTY === true && cli.reporter.terminal.hasStatusLine
}

/** A question that is answered with no unless yes is typed: nothing else that comes from a keyboard means yes. */
export async function askYesNo(cli: CommandLine, message: string): Promise<boolean> {
  const { text } = await import('@clack/prompts')
  const typed = await text({
    ...conversation(cli),
    message: `${message} [y/N]`,
    validate: (value = '') => (/^(?:|y|yes|n|no)$/iu.test(value.trim()) ? undefined : 'answer y or n'),
  })
  return /^y/iu.test((answered(cli, typed) ?? '').trim())
}

/** A text, such as the name of what is about to be replaced. */
export async function askText(cli: CommandLine, message: string): Promise<string> {
  const { text } = await import('@clack/prompts')
  return answered(cli, await text({ ...conversation(cli), message })).trim()
}

/** A passphrase, not shown while it is typed; `undefined` where nobody can be asked, or nothing was typed. */
export async function askPassphrase(cli: CommandLine): Promise<Secret | undefined> {
  if (!canAsk(cli)) return undefined
  const { password } = await import('@clack/prompts')
  const typed = answered(cli, await password({ ...conversation(cli), message: 'Passphrase of the backup' }))
  return typed === '' ? undefined : new Secret(typed)
}

/** Questions are no result: they go to stderr. */
function conversation(cli: CommandLine) {
  cli.reporter.progress.clear()
  return { input: cli.stdin, output: cli.stderr, signal: cli.signal, withGuide: false }
}

/** While a question is open the terminal is raw, and Ctrl-C comes as an answer. */
function answered<Answer>(cli: CommandLine, answer: Answer): Exclude<Answer, symbol> {
  if (typeof answer !== 'symbol') return answer as Exclude<Answer, symbol>
  cli.signal.throwIfAborted()
  const reason = new HoldfastError('interrupted.sigint', 'interrupted')
  cli.interrupt(reason)
  throw reason
}
