import { isAbsolute, resolve } from 'node:path'
import type { ConnectionSettings } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { decode, encodingHint, invalid } from '../url-text.js'

/** Where a database lies that the URL gives no parts of our own: seeds of a replica set, a DNS seed list. */
export const hostsParameter = 'hosts'
export const srvParameter = 'srv'

/**
 * Reads `mongodb://user:password@host:27017/shop?authSource=admin`, several hosts (`a:27017,b:27017`), and
 * `mongodb+srv://cluster.example.com/shop`. The parameters are those of MongoDB's connection strings.
 * @throws config.invalid, never with a part of the URL that could hold the password
 */
export function parseUrl(url: string, baseDirectory: string): ConnectionSettings {
  // Not the class URL: it refuses several hosts.
  const parts = /^mongodb(\+srv)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#@]*))?(?:\?([^#@]*))?$/iu.exec(url)
  if (parts === null) throw invalid('the URL of a MongoDB database cannot be read', encodingHint)
  const [, srv, login = '', hosts = '', path = '', query = ''] = parts
  const [user = '', ...rest] = login.split(':')
  const password = decode(rest.join(':'), 'the password')
  const name = decode(path, 'the database')
  if (name === '') throw invalid('the URL names no database', 'write it after the host: mongodb://host/shop')
  return checkedConnection({
    engine: 'mongodb',
    name,
    ...address(hosts, srv !== undefined),
    ...(user === '' ? {} : { user: decode(user, 'the user') }),
    ...(password === '' ? {} : { password: new Secret(password) }),
    parameters: {
      ...parametersOf(query, baseDirectory),
      ...(srv === undefined ? {} : { [srvParameter]: 'true' }),
      ...(hosts.includes(',') ? { [hostsParameter]: hosts } : {}),
    },
  })
}

function address(hosts: string, srv: boolean): Pick<ConnectionSettings, 'host' | 'port' | 'socket'> {
  const [first = ''] = hosts.split(',')
  if (first === '') return {}
  if (/%2f/iu.test(first)) return { socket: decode(first, 'the socket') }
  const parts = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/u.exec(first)
  if (parts === null) throw invalid('the host in the URL cannot be read')
  const [, host = '', port] = parts
  if (srv && port !== undefined) throw invalid('a URL of mongodb+srv has no port')
  return { host: host.replace(/^\[(.*)\]$/u, '$1'), ...(port === undefined ? {} : { port: Number(port) }) }
}

function parametersOf(query: string, baseDirectory: string): Record<string, string> {
  const parameters: Record<string, string> = {}
  for (const pair of query.split('&').filter((each) => each !== '')) {
    const [name = '', ...rest] = pair.split('=')
    const value = decode(rest.join('='), `the parameter ${name}`)
    const isFile = ['tlscafile', 'tlscertificatekeyfile'].includes(name.toLowerCase())
    parameters[decode(name, 'a parameter')] =
      isFile && !isAbsolute(value) ? resolve(baseDirectory, value) : value
  }
  return parameters
}

/** The characters that the server takes in the name of no database. @throws config.invalid */
export function checkedConnection(settings: ConnectionSettings): ConnectionSettings {
  if (/[/\\. "$*<>:|?\0]/u.test(settings.name) || Buffer.byteLength(settings.name) > 63) {
    throw invalid(`${JSON.stringify(settings.name)} cannot be the name of a MongoDB database`)
  }
  return settings
}
