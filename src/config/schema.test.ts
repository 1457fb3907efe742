import { describe, expect, it } from 'vitest'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import { checkedConfig } from './schema.js'

function problem(config: unknown): HoldfastError {
  try {
    checkedConfig(config, 'holdfast.config.ts')
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
  throw new Error('nothing was found wrong')
}

describe('unknown keys', () => {
  it.each([
    [
      { databases: { default: { url: 'x', exlude: [] } } },
      'databases.default.exlude is not known; did you mean exclude',
    ],
    [{ database: {} }, 'database is not known; did you mean databases'],
    [
      { databases: { a: { url: 'x', backup: { hots: 'h' } } } },
      'databases.a.backup.hots is not known; did you mean host',
    ],
    [{ retention: { dayly: 1 } }, 'retention.dayly is not known; did you mean daily'],
    [{ hooks: { afterBakcup: () => undefined } }, 'hooks.afterBakcup is not known; did you mean afterBackup'],
    [{ encrypt: { gpg: {} } }, 'encrypt.gpg is not known; known are age, openpgp'],
    [{ wibble: 1 }, 'wibble is not known'],
  ])('%j', (config, message) => {
    const error = problem(config)
    expect(error.code).toBe('config.unknown-key')
    expect(error.message).toBe(`holdfast.config.ts: ${message}`)
  })

  it('are free in a storage, whose driver checks them', () => {
    expect(() => checkedConfig({ storages: { a: { driver: 's3', anything: 1 } } }, 'x')).not.toThrow()
  })
})

describe('wrong values', () => {
  it.each([
    [{ databases: { a: { port: '5432' } } }, 'databases.a.port: expected number'],
    [{ databases: { a: { port: 70_000 } } }, 'databases.a.port: expected number to be <=65535'],
    [{ databases: { a: 5 } }, 'databases.a: expected a text, or expected object'],
    [{ databases: { a: { url: '' } } }, 'databases.a.url: is empty'],
    [{ databases: { a: { exclude: 'x' } } }, 'databases.a.exclude: expected array'],
    [{ databases: { a: { dumpCommand: 5 } } }, 'databases.a.dumpCommand: expected a text, or expected array'],
    [
      { databases: { a: { password: 5 } } },
      'databases.a.password: expected a text, or expected a text or a Secret',
    ],
    [{ storages: { a: { path: 'x' } } }, 'storages.a.driver: expected a text'],
    [{ retention: { last: -1 } }, 'retention.last: expected number to be >=0'],
    [{ filename: 5 }, 'filename: expected a text, or expected a text or a function'],
    [
      { hooks: { afterBackup: 5 } },
      'hooks.afterBackup: expected a function or a command, or expected object, or expected array',
    ],
    [
      { hooks: { afterBackup: { run: 'curl', onError: 'x' } } },
      'hooks.afterBackup.onError: expected one of "fail"|"report"|"ignore"',
    ],
    [[], 'the configuration: expected object'],
    [undefined, 'the configuration: expected object'],
  ])('%j', (config, message) => {
    const error = problem(config)
    expect(error.code).toBe('config.invalid')
    expect(error.message).toBe(`holdfast.config.ts: ${message}`)
  })

  it('are reported together', () => {
    const error = problem({ databases: { a: { port: 'x', exlude: [] } }, compres: 'zstd', serverName: 3 })
    expect(error.code).toBe('config.invalid')
    expect(error.message.split('\n')).toEqual([
      'holdfast.config.ts has 4 problems:',
      '  databases.a.port: expected number',
      '  databases.a.exlude is not known; did you mean exclude',
      '  serverName: expected a text',
      '  compres is not known; did you mean compress',
    ])
    expect(error.details['issues']).toHaveLength(4)
  })

  it('FAILURES 71: are not shown, since they may be secrets', () => {
    const error = problem({
      databases: { a: { password: ['hunter22'], port: 'hunter22' } },
      encrypt: 'hunter22',
    })
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter22')
  })
})

it('a whole configuration passes', () => {
  const config = {
    databases: {
      default: {
        url: 'postgres://h/a',
        password: new Secret('x'),
        backup: { host: 'replica' },
        exclude: ['a*'],
        dumpCommand: ['pg_dump'],
        connector: { name: 'mine', capabilities: {}, create: () => undefined },
        filename: () => 'x',
        retention: { last: 3, keep: () => true },
        env: { A: 'b' },
      },
      other: 'sqlite:./a.db',
    },
    storages: { a: './x', b: { driver: 'local', path: 'x' } },
    compress: 'zstd:3',
    encrypt: { age: { recipients: ['age1'], passphrase: 'x' } },
    hooks: { afterBackup: [() => undefined], beforeRestore: () => undefined },
    metadata: () => ({}),
    engines: [{ parse: () => ({}), open: () => ({}) }],
  }
  expect(() => checkedConfig(config, 'x')).not.toThrow()
  expect(() => checkedConfig({ encrypt: false }, 'x')).not.toThrow()
})
