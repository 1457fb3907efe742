import { HoldfastError } from '../errors.js'

/** What is to be confirmed before a database is changed. */
export interface Confirmable {
  readonly target: string
  readonly place: string
  readonly protected: boolean
  readonly databaseName: string
}

export interface Confirming<Plan> {
  readonly confirm?: boolean | ((plan: Plan) => boolean | Promise<boolean>)
  readonly confirmName?: string
}

/**
 * Asks, once.
 * @param what for the message: `the restore into`
 * @throws refused.protected, refused.not-confirmed
 */
export async function confirmed<Plan extends Confirmable>(
  plan: Plan,
  { confirm = false, confirmName }: Confirming<Plan>,
  what: string,
): Promise<void> {
  if (plan.protected && confirmName !== undefined && confirmName !== plan.databaseName) {
    throw new HoldfastError(
      'refused.protected',
      `${plan.target} is protected, and ${confirmName} is not its name`,
    )
  }
  if (plan.protected && confirmName === undefined && typeof confirm !== 'function') {
    throw new HoldfastError('refused.protected', `${plan.target} is protected`)
  }
  const answer = typeof confirm === 'function' ? await confirm(plan) : confirm
  if (!answer) throw new HoldfastError('refused.not-confirmed', `${what} ${plan.place} was not confirmed`)
}
