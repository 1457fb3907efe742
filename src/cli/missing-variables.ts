import { env as readEnv } from '../config/variable.js'
import type { HoldfastConfig } from '../config/config.js'
import { HoldfastError } from '../errors.js'

/**
 * For commands that need the storages and no database: a variable that is not set, such as `DATABASE_URL` on the machine where
 * backups are looked for after a disaster, leaves out the databases that name it. A storage that names it is an error as ever.
 */
export class MissingVariables {
  readonly #missing = new Map<string, HoldfastError>()

  /** In place of `env` in a configuration file. */
  readonly env = (name: string): string => {
    try {
      return readEnv(name)
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'config.missing-variable') throw error
      const stand = `missing-variable:${name}:${this.#missing.size}`
      this.#missing.set(stand, error)
      return stand
    }
  }

  /** The configuration without those databases; their names go to `tell`. @throws config.missing-variable */
  without(config: HoldfastConfig, tell: (message: string) => void): HoldfastConfig {
    if (this.#missing.size === 0) return config
    const { databases = {}, ...rest } = config
    const kept = Object.entries(databases).filter(([alias, settings]) => {
      const error = this.#namedIn(settings)
      if (error !== undefined) tell(`the database ${alias} is left out: ${error.message}`)
      return error === undefined
    })
    const elsewhere = this.#namedIn(rest)
    if (elsewhere !== undefined) throw elsewhere
    return { ...rest, databases: Object.fromEntries(kept) }
  }

  #namedIn(settings: unknown): HoldfastError | undefined {
    if (typeof settings === 'string')
      return [...this.#missing].find(([stand]) => settings.includes(stand))?.[1]
    if (typeof settings !== 'object' || settings === null) return undefined
    for (const value of Object.values(settings)) {
      const error = this.#namedIn(value)
      if (error !== undefined) return error
    }
    return undefined
  }
}
