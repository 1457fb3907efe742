import { readFileSync } from 'node:fs'
import { nodeEnv } from '../env/node-env.js'
import { HoldfastError } from '../errors.js'

/** A value from the environment, and where it came from: `environment DATABASE_URL`. */
export interface Variable {
  readonly value: string
  readonly origin: string
}

/**
 * For configuration files: the value of an environment variable, or the content of the file that `NAME_FILE` names, without
 * one newline at its end. The variable wins where both are set.
 *
 * @example
 * export default defineConfig({ databases: { default: { url: env('DATABASE_URL') } } })
 * @throws config.missing-variable where neither is set, or the file cannot be read
 */
export function env(name: string): string {
  const found = readVariable(nodeEnv().variables, name)
  if (found !== undefined) return found.value
  throw new HoldfastError('config.missing-variable', `neither ${name} nor ${name}_FILE is set`, {
    hint: `set ${name}, or ${name}_FILE with the path of a file that holds the value`,
    details: { variable: name },
  })
}

/** @throws config.missing-variable where the file that `NAME_FILE` names cannot be read */
export function readVariable(
  variables: Readonly<Record<string, string | undefined>>,
  name: string,
): Variable | undefined {
  const value = variables[name]
  // An empty variable is what shells and compose files make of one that is not set.
  if (value !== undefined && value !== '') return { value, origin: `environment ${name}` }
  const path = variables[`${name}_FILE`]
  if (path === undefined || path === '') return undefined
  return { value: readSecretFile(path, `${name}_FILE`), origin: `environment ${name}_FILE` }
}

function readSecretFile(path: string, variable: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/u, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new HoldfastError(
      'config.missing-variable',
      `${variable} names ${path}, which cannot be read${code === undefined ? '' : ` (${code})`}`,
      { cause: error, hint: `correct ${variable}`, details: { variable, path } },
    )
  }
}
