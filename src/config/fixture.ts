import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ConnectorCapabilities, ConnectorFactory } from '../engine/connector.js'
import type { Engine } from '../engine/engine.js'
import type { Env } from '../env/env.js'
import { nodeEnv } from '../env/node-env.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import type { StageKind } from '../stages/stage.js'
import type { StorageDriver } from '../storages/storage.js'
import type { HoldfastConfig } from './config.js'
import type { Overrides } from './options.js'
import { resolveSettings } from './resolve.js'
import type { Registry, Settings } from './settings.js'

/** For the tests of this room: a machine with these variables that stands in a new folder with these files. */
export async function machine(
  files: Readonly<Record<string, string>> = {},
  variables: Readonly<Record<string, string>> = {},
): Promise<Env> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-config-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), content)
  }
  return { ...nodeEnv(), variables, hostName: 'test-host', workingDirectory: directory }
}

const everything: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: true,
  transactionalRestore: true,
  clean: ['none', 'objects', 'database'],
}

export function connectorOf(
  engine: string,
  name: string,
  capabilities: Partial<ConnectorCapabilities> = {},
): ConnectorFactory {
  const unused = () => {
    throw new Error('no connector is made here')
  }
  return {
    name,
    engine,
    extension: 'dump',
    capabilities: { ...everything, ...capabilities },
    format: { name, recognises: () => false, checker: unused },
    create: unused,
  }
}

function engineOf(
  name: string,
  aliases: readonly string[],
  capabilities: { readonly server: boolean; readonly schemas: boolean },
  connectors: readonly ConnectorFactory[],
): Engine {
  return {
    name,
    aliases,
    capabilities: { ...capabilities, transactionalRestore: true },
    parse: (text, baseDirectory) => {
      if (!capabilities.server) {
        return {
          engine: name,
          name: resolve(baseDirectory, text.slice(text.indexOf(':') + 1)),
          parameters: {},
        }
      }
      const scheme = text.slice(0, text.indexOf(':'))
      if (scheme !== name && !aliases.includes(scheme))
        throw new HoldfastError('config.invalid', `${scheme} is not read here`)
      const url = new URL(text.replace(/^[^:]*/u, 'http'))
      if (url.port === '1') throw new HoldfastError('config.invalid', 'port 1 is not possible')
      return {
        engine: name,
        name: url.pathname.slice(1),
        host: url.hostname,
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        ...(url.username === '' ? {} : { user: url.username }),
        ...(url.password === '' ? {} : { password: new Secret(url.password) }),
        parameters: Object.fromEntries(url.searchParams),
      }
    },
    open: () => Promise.reject(new Error('nothing is opened here')),
    connectors: Object.fromEntries(connectors.map((each) => [each.name, each])),
    defaultConnector: connectors[0]?.name ?? '',
  }
}

function stage(id: string, role: StageKind['role'], check: (settings: unknown) => void): StageKind {
  return {
    id,
    role,
    extension: `.${id}`,
    recognises: () => false,
    create: (settings) => {
      check(settings)
      return { id, encode: notHere, decode: notHere }
    },
  }
}

function notHere(): never {
  throw new Error('nothing is encoded here')
}

function levelUpTo(highest: number) {
  return (settings: unknown) => {
    const { level = 1 } = settings as { level?: number }
    if (level < 1 || level > highest)
      throw new HoldfastError('config.invalid', `level ${level} is not from 1 to ${highest}`)
  }
}

function storageDriver(driver: string, forms: Pick<StorageDriver, 'schemes' | 'parse'> = {}): StorageDriver {
  return { driver, ...forms, open: () => Promise.reject(new Error('nothing is opened here')) }
}

function parseBucket(url: string): Readonly<Record<string, unknown>> {
  const { hostname, password, pathname } = new URL(url)
  if (hostname === '') throw new HoldfastError('config.invalid', 'the URL names no bucket')
  return { bucket: hostname, path: pathname, ...(password === '' ? {} : { password: new Secret(password) }) }
}

/** Two engines, four storages, three stages: enough for every rule of resolving, and none of them works. */
export const registry: Registry = {
  engines: [
    engineOf('postgresql', ['pg', 'postgres'], { server: true, schemas: true }, [
      connectorOf('postgresql', 'pg-dump-custom'),
      connectorOf('postgresql', 'pg-dump'),
    ]),
    engineOf('sqlite', ['sqlite3', 'file'], { server: false, schemas: false }, [
      connectorOf('sqlite', 'sqlite-backup'),
      connectorOf('sqlite', 'sqlite-copy', { exclude: false, excludeData: false }),
    ]),
  ],
  storageDrivers: [
    storageDriver('local', { schemes: ['file'], parse: (url) => ({ path: new URL(url).pathname }) }),
    storageDriver('memory', { parse: () => ({}) }),
    storageDriver('s3', { parse: parseBucket }),
    storageDriver('tape'),
  ],
  stages: [
    stage('zstd', 'compress', levelUpTo(19)),
    stage('gzip', 'compress', levelUpTo(9)),
    stage('age', 'encrypt', () => undefined),
  ],
}

export interface Given {
  readonly variables?: Record<string, string>
  readonly overrides?: Overrides
  readonly file?: string
}

/** The settings of a configuration, on a machine with these variables. */
export async function resolved(
  config: HoldfastConfig,
  { variables = {}, overrides = {}, file }: Given = {},
): Promise<Settings> {
  const env = await machine({}, variables)
  const fileOption = file === undefined ? {} : { file: join(env.workingDirectory, file) }
  return resolveSettings({
    config,
    env,
    registry,
    overrides,
    baseDirectory: env.workingDirectory,
    ...fileOption,
  })
}

/** The one database of a configuration. */
export function database(config: NonNullable<HoldfastConfig['databases']>[string], given?: Given) {
  return resolved({ databases: { shop: config } }, given).then(({ databases }) => {
    const shop = databases.get('shop')
    if (shop === undefined) throw new Error('the database is missing')
    return shop
  })
}
