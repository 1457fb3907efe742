import { HoldfastError } from '../errors.js'
import type { Confirmable } from '../operations/confirmation.js'
import type { CommandLine } from './command.js'
import { askText, askYesNo, canAsk } from './prompt.js'
import { printable, type Style } from './terminal.js'

/** How a plan is shown, and what is asked about it. */
export interface Asking {
  readonly render: (style: Style, columns: number | undefined) => string
  /** `Restore into sqlite:/srv/app.db?` */
  readonly question: string
  /** As it goes on after `Type NAME`: `to restore into it`. */
  readonly purpose: string
  /** What has not come about where the answer is no: `not restored`. */
  readonly undone: string
  /** For the message where nobody can be asked: `the restore into sqlite:/srv/app.db`. */
  readonly what: string
}

/** Shows what is going to happen, and asks. @throws refused.protected, refused.not-confirmed */
export async function confirmedByPerson(
  cli: CommandLine,
  plan: Confirmable,
  confirmName: string | undefined,
  { render, question, purpose, undone, what }: Asking,
): Promise<boolean> {
  const { terminal } = cli.reporter
  cli.reporter.progress.clear()
  terminal.note(`${render(terminal.noteStyle, terminal.noteColumns)}\n`)
  // The operation has compared it with the name of a protected database already.
  if (confirmName === plan.databaseName) return true
  if (!canAsk(cli)) throw notAsked(plan, what)
  if (!plan.protected) {
    if (await askYesNo(cli, question)) return true
    throw declined(undone)
  }
  const typed = await askText(
    cli,
    `${printable(plan.target)} is protected. Type ${printable(plan.databaseName)} ${purpose}:`,
  )
  if (typed === plan.databaseName) return true
  throw new HoldfastError(
    'refused.protected',
    `${plan.target} is protected, and what was typed is not its name`,
  )
}

/** Somebody said no: nothing has failed, and the reporter shows it so. */
export function declined(undone: string): HoldfastError {
  return new HoldfastError('refused.not-confirmed', `${undone}: nothing was changed`, {
    details: { declined: true },
  })
}

function notAsked(plan: Confirmable, what: string): HoldfastError {
  return plan.protected
    ? new HoldfastError(
        'refused.protected',
        `${plan.target} is protected, and nobody is there to type its name`,
        { hint: `pass --yes --confirm ${plan.databaseName}` },
      )
    : new HoldfastError('refused.not-confirmed', `nobody is there to confirm ${what}`, {
        hint: 'pass --yes where there is no terminal',
      })
}
