import type { ConnectorFactory } from '../engine/connector.js'
import type { Engine } from '../engine/engine.js'
import { HoldfastError } from '../errors.js'
import type { HoldfastConfig } from './config.js'
import { didYouMean } from './nearest.js'
import type { Registry } from './settings.js'

/** An engine and the connector that its databases use where they name none. */
export interface ChosenEngine {
  readonly engine: Engine
  readonly connector: ConnectorFactory
  /** The name was not the engine's own but one that `connectors` maps: a URL's scheme is then not the engine's. */
  readonly mapped: boolean
}

/** Engines by name, alias and the configuration's `connectors`. */
export class EngineFinder {
  readonly #engines: readonly Engine[]
  readonly #mapped: NonNullable<HoldfastConfig['connectors']>

  constructor(registry: Registry, connectors: HoldfastConfig['connectors'] = {}) {
    this.#engines = registry.engines
    this.#mapped = connectors
  }

  /** @param setting what named the engine, for the error: `databases.default.engine`. @throws config.invalid */
  find(name: string, setting: string): ChosenEngine {
    const wanted = name.toLowerCase()
    const engine = this.#engines.find((each) => each.name === wanted || each.aliases.includes(wanted))
    const mapped = this.#mappedConnector(wanted, engine)
    if (engine !== undefined)
      return { engine, connector: mapped ?? defaultConnector(engine, wanted), mapped: false }
    if (mapped !== undefined) {
      const owner = this.#engines.find((each) => each.name === mapped.engine)
      if (owner !== undefined) return { engine: owner, connector: mapped, mapped: true }
      if (mapped.ownEngine !== undefined)
        return { engine: mapped.ownEngine, connector: mapped, mapped: mapped.engine !== wanted }
    }
    const known = this.#engines.map((each) => each.name)
    const names = this.#engines.flatMap((each) => [each.name, ...each.aliases])
    throw new HoldfastError(
      'config.invalid',
      `${setting}: there is no engine ${name}${didYouMean(name, names)}; known: ${known.join(', ')}`,
    )
  }

  /** The engine that a database's own connector brings along, where it is none of those known. */
  broughtBy(choice: string | ConnectorFactory | undefined): ChosenEngine | undefined {
    if (choice === undefined || typeof choice === 'string' || choice.ownEngine === undefined) return undefined
    if (this.#engines.some((each) => each.name === choice.engine)) return undefined
    return { engine: choice.ownEngine, connector: choice, mapped: false }
  }

  /** The connector of a database. @throws config.invalid */
  connector(choice: string | ConnectorFactory, engine: Engine, setting: string): ConnectorFactory {
    if (typeof choice === 'string') {
      const named = engine.connectors[choice]
      if (named !== undefined) return named
      const known = Object.keys(engine.connectors)
      throw new HoldfastError(
        'config.invalid',
        `${setting}: ${engine.name} has no connector ${choice}${didYouMean(choice, known)}; it has ${known.join(', ')}`,
      )
    }
    if (choice.engine === engine.name) return choice
    throw new HoldfastError(
      'config.invalid',
      `${setting}: the connector ${choice.name} is for ${choice.engine}, not for ${engine.name}`,
    )
  }

  /** What `connectors` says of an engine, by its name or any of its aliases. */
  #mappedConnector(wanted: string, engine: Engine | undefined): ConnectorFactory | undefined {
    for (const name of engine === undefined ? [wanted] : [wanted, engine.name, ...engine.aliases]) {
      const choice = this.#mapped[name]
      if (choice === undefined) continue
      const setting = `connectors.${name}`
      if (engine !== undefined) return this.connector(choice, engine, setting)
      return typeof choice === 'string' ? this.#connectorOfAnyEngine(choice, setting) : choice
    }
    return undefined
  }

  #connectorOfAnyEngine(name: string, setting: string): ConnectorFactory {
    for (const engine of this.#engines) {
      const found = engine.connectors[name]
      if (found !== undefined) return found
    }
    const known = this.#engines.flatMap((engine) => Object.keys(engine.connectors))
    throw new HoldfastError(
      'config.invalid',
      `${setting}: there is no connector ${name}${didYouMean(name, known)}; known: ${known.join(', ')}`,
    )
  }
}

function defaultConnector(engine: Engine, alias: string): ConnectorFactory {
  const name = engine.aliasConnectors?.[alias] ?? engine.defaultConnector
  const connector = engine.connectors[name]
  if (connector === undefined) {
    throw new HoldfastError('config.invalid', `the engine ${engine.name} has no connector ${name}`)
  }
  return connector
}
