import type { ConnectionSettings } from '../../engine/engine.js'
import { HoldfastError } from '../../errors.js'
import { checkedConnection, hostsParameter, srvParameter } from './url.js'

export const defaultPort = 27017

/** Settings of ours that stand among the parameters and mean nothing to a server or driver. */
const own = [hostsParameter, srvParameter, 'objcheck']
/** In a URL they could hold a secret, which must not be in a string that is shown. */
const secretParameters = ['tlscertificatekeyfilepassword', 'sslpemkeypassword', 'authmechanismproperties']

/**
 * The connection string without the password, as driver and tools read it. With a user it names the database that knows the
 * user: the one configured, else `admin`, where MongoDB keeps users unless told otherwise.
 * @throws config.invalid
 */
export function connectionString(settings: ConnectionSettings): string {
  checkedConnection(settings)
  const { user, parameters } = settings
  const given = Object.entries(parameters).filter(
    // Without a user the driver refuses to be told where users are kept.
    ([name]) => !own.includes(name) && (user !== undefined || name.toLowerCase() !== 'authsource'),
  )
  const secret = given.find(([name]) => secretParameters.includes(name.toLowerCase()))
  if (secret !== undefined) {
    throw new HoldfastError(
      'config.invalid',
      `${secret[0]} is not supported: it would hold a secret in the clear`,
    )
  }
  const named = (name: string) => given.some(([each]) => each.toLowerCase() === name.toLowerCase())
  const query = [
    ...given,
    ...(user === undefined || named('authSource') ? [] : [['authSource', 'admin']]),
    // One host means this one, not the members of the replica set that it belongs to, which may have other names here.
    ...(named('directConnection') || named('replicaSet') || manyHosts(settings)
      ? []
      : [['directConnection', 'true']]),
  ].map(([name = '', value = '']) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const scheme = parameters[srvParameter] === undefined ? 'mongodb' : 'mongodb+srv'
  const login = user === undefined ? '' : `${encodeURIComponent(user)}@`
  return `${scheme}://${login}${hostsOf(settings)}/?${query.join('&')}`
}

function manyHosts({ parameters }: ConnectionSettings): boolean {
  return parameters[srvParameter] !== undefined || parameters[hostsParameter] !== undefined
}

function hostsOf(settings: ConnectionSettings): string {
  const { host = 'localhost', port, socket, parameters } = settings
  if (socket !== undefined) return encodeURIComponent(socket)
  const name = host.includes(':') ? `[${host}]` : host
  if (parameters[srvParameter] !== undefined) return name
  return parameters[hostsParameter] ?? `${name}:${port ?? defaultPort}`
}

/** Where a database is, for people: `mongodb://user@host:27017/shop`, never with a password. */
export function placeOf(settings: ConnectionSettings): string {
  const user = settings.user === undefined ? '' : `${settings.user}@`
  const scheme = settings.parameters[srvParameter] === undefined ? 'mongodb' : 'mongodb+srv'
  return `${scheme}://${user}${settings.socket ?? hostsOf(settings)}/${settings.name}`
}

/** Whether mongorestore looks into every document before it inserts it. Default: yes. @throws config.invalid */
export function objcheckOf({ parameters }: ConnectionSettings): boolean {
  const value = parameters['objcheck'] ?? 'true'
  if (value !== 'true' && value !== 'false') {
    throw new HoldfastError('config.invalid', `objcheck is ${value}, neither true nor false`)
  }
  return value === 'true'
}
