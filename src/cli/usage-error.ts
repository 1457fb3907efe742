import {
  AliasNotFoundError,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  InvalidNegatedFlagSyntaxError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from '@stricli/core'
import { nearestName } from '../config/nearest.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { flagName, type DocumentedCommand } from './command.js'
import { nearestFlag } from './global-flags.js'

/** What the argument parser found wrong, as an error of Holdfast's; anything else that was thrown as it is. */
export function usageError(thrown: unknown, command: DocumentedCommand): unknown {
  const hint = `see holdfast help ${command.name}`
  const message = messageFor(thrown, command)
  if (message === undefined) return thrown
  // A value that a flag's own parser refused explains itself.
  return new HoldfastError('usage.invalid', message, { hint })
}

export function unknownCommand(name: string, commands: readonly DocumentedCommand[]): HoldfastError {
  const nearest = nearestName(
    name,
    commands.map((each) => each.name),
  )
  return new HoldfastError(
    'usage.invalid',
    `there is no command ${name}${nearest === undefined ? '' : `; did you mean ${nearest}`}`,
    {
      hint: 'see holdfast help',
    },
  )
}

function messageFor(thrown: unknown, { name, flags }: DocumentedCommand): string | undefined {
  if (thrown instanceof FlagNotFoundError) {
    const nearest = nearestFlag(thrown.input, Object.keys(flags).map(flagName))
    return `${name} has no option --${thrown.input}${nearest === undefined ? '' : `; did you mean --${nearest}`}`
  }
  if (thrown instanceof AliasNotFoundError) return `${name} has no option -${thrown.input}`
  if (thrown instanceof ArgumentParseError) {
    const { message } = asHoldfastError(thrown.exception)
    return `--${thrown.externalFlagNameOrPlaceholder}: ${message}`
  }
  if (thrown instanceof EnumValidationError) {
    return `--${thrown.externalFlagName} is ${thrown.values.join(', ')}, not ${thrown.input}`
  }
  if (thrown instanceof UnsatisfiedFlagError) return `--${thrown.externalFlagName} needs a value`
  if (thrown instanceof UnsatisfiedPositionalError) return `${name} needs ${thrown.placeholder}`
  if (thrown instanceof UnexpectedPositionalError) {
    return thrown.expectedCount === 0
      ? `${name} takes no argument; there is ${thrown.input}`
      : `${name} takes one argument; ${thrown.input} is too many`
  }
  if (thrown instanceof UnexpectedFlagError) {
    return `--${thrown.externalFlagName} is given twice: ${thrown.previousInput} and ${thrown.input}`
  }
  if (thrown instanceof InvalidNegatedFlagSyntaxError) return `--${thrown.externalFlagName} takes no value`
  return undefined
}
