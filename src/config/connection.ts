import { resolve } from 'node:path'
import type { ConnectionSettings, Engine } from '../engine/engine.js'
import { Secret } from '../env/secret.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ConnectionConfig, DatabaseConfig } from './config.js'
import type { ChosenEngine } from './engines.js'

/** A password of the configuration; an empty one is none. */
export function asSecret(value: string | Secret | undefined): Secret | undefined {
  const revealed = typeof value === 'string' ? value : value?.reveal()
  return revealed === undefined || revealed === '' ? undefined : new Secret(revealed)
}

/** The scheme of a URL; a drive letter of Windows is none. */
export function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):/iu.exec(url)?.[1]?.toLowerCase()
}

/**
 * What an engine makes of a URL.
 * @param setting what gave the URL, with its origin, for errors
 * @throws config.invalid
 */
export function parseUrl(
  chosen: ChosenEngine,
  url: string,
  baseDirectory: string,
  setting: string,
): ConnectionSettings {
  const { engine, mapped } = chosen
  try {
    return engine.parse(mapped ? url.replace(/^[^:]*/u, engine.name) : url, baseDirectory)
  } catch (thrown) {
    const error = asHoldfastError(thrown, 'config.invalid')
    throw new HoldfastError(error.code, `${setting}: ${error.message}`, { cause: error, hint: error.hint })
  }
}

/** A connection with the fields of a configuration in place of its own. */
export function withFields(
  base: ConnectionSettings,
  fields: ConnectionConfig & Pick<DatabaseConfig, 'objcheck'>,
  engine: Engine,
  baseDirectory: string,
): ConnectionSettings {
  const { host, port, user, name, socket, parameters, authSource, objcheck } = fields
  const asParameters = {
    ...(authSource === undefined ? {} : { authSource }),
    ...(objcheck === undefined ? {} : { objcheck: String(objcheck) }),
  }
  const sameParameters = parameters === undefined && Object.keys(asParameters).length === 0
  const password = asSecret(fields.password)
  // A host given beside a URL with a socket means that host.
  const { socket: baseSocket, ...rest } = base
  return {
    ...rest,
    ...(baseSocket === undefined || host !== undefined ? {} : { socket: baseSocket }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(socket === undefined ? {} : { socket }),
    ...(name === undefined ? {} : { name: engine.capabilities.server ? name : resolve(baseDirectory, name) }),
    ...(sameParameters
      ? {}
      : { parameters: withParameters(base.parameters, parameters ?? {}, asParameters) }),
  }
}

/** The parameters of both; a URL may write those that are settings, too, in other letters. */
function withParameters(
  base: Readonly<Record<string, string>>,
  parameters: Readonly<Record<string, string>>,
  settings: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = Object.keys(settings).map((name) => name.toLowerCase())
  const others = Object.entries({ ...base, ...parameters })
  const kept = others.filter(([name]) => !names.includes(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...settings }
}

/** A connection of which nothing is known but its engine. */
export function emptyConnection(engine: Engine): ConnectionSettings {
  return { engine: engine.name, name: '', parameters: {} }
}
