import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { HoldfastConfig } from './config.js'
import { machine, resolved, type Given } from './fixture.js'

describe('without configuration', () => {
  it('DATABASE_URL is the database default, and backups go to ./backups', async () => {
    const settings = await resolved({}, { variables: { DATABASE_URL: 'postgres://me:secret@db/shop' } })
    expect(settings.databases.get('default')?.connection).toMatchObject({
      engine: 'postgresql',
      host: 'db',
      name: 'shop',
    })
    expect([...settings.storages.values()]).toMatchObject([{ name: 'main', settings: { path: './backups' } }])
    expect(settings.origins.get('databases.default.url')).toBe('environment DATABASE_URL')
    expect(settings).toMatchObject({
      serverName: 'test-host',
      filename: '{database}-{server}-{datetime}.{extension}',
      dateFormat: 'YYYY-MM-DD-HHmmss',
      stages: [{ kind: { id: 'zstd' } }],
    })
  })

  it('DATABASE_URL_FILE names the file that holds the URL', async () => {
    const { workingDirectory } = await machine({ url: 'postgres://db/shop\n' })
    const file = join(workingDirectory, 'url')
    const settings = await resolved({}, { variables: { DATABASE_URL_FILE: file } })
    expect(settings.databases.get('default')?.connection.name).toBe('shop')
    expect(settings.origins.get('databases.default.url')).toBe('environment DATABASE_URL_FILE')
  })

  it('there may be no database at all', async () => {
    expect((await resolved({})).databases.size).toBe(0)
  })

  it('configured databases leave DATABASE_URL to the application', async () => {
    const settings = await resolved(
      { databases: { docs: 'sqlite:./docs.db' } },
      { variables: { DATABASE_URL: 'nonsense' } },
    )
    expect([...settings.databases.keys()]).toEqual(['docs'])
  })
})

describe('precedence', () => {
  const config: HoldfastConfig = { compress: 'gzip', serverName: 'from-file' }

  it('flag, then environment, then file, then default', async () => {
    const variables = { HOLDFAST_COMPRESS: 'zstd:5' }
    const overrides = { compress: { value: 'none', origin: '--compress' } }
    const of = async (given: Given, from: HoldfastConfig = config) => {
      const { stages, origins } = await resolved(from, given)
      return [stages.map(({ kind, settings }) => [kind.id, settings]), origins.get('compress')]
    }
    expect(await of({ variables, overrides, file: 'h.json' })).toEqual([[], '--compress'])
    expect(await of({ variables, file: 'h.json' })).toEqual([
      [['zstd', { level: 5 }]],
      'environment HOLDFAST_COMPRESS',
    ])
    expect(await of({ file: 'h.json' })).toEqual([[['gzip', {}]], 'h.json'])
    expect(await of({}, {})).toEqual([[['zstd', {}]], 'default'])
  })

  it.each([
    ['HOLDFAST_SERVER_NAME', 'serverName', 'web-1'],
    ['HOLDFAST_FILENAME', 'filename', '{database}.{extension}'],
    ['HOLDFAST_DATE_FORMAT', 'dateFormat', 'YYYY'],
  ] as const)('%s sets %s', async (variable, key, value) => {
    const settings = await resolved({ [key]: 'other' }, { variables: { [variable]: value } })
    expect(settings[key]).toBe(value)
    expect(settings.origins.get(key)).toBe(`environment ${variable}`)
  })

  it('an error names where the value came from', async () => {
    await expect(resolved({}, { variables: { HOLDFAST_COMPRESS: 'zstd:99' } })).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'compress (environment HOLDFAST_COMPRESS): level 99 is not from 1 to 19',
    })
    await expect(resolved({ compress: 'lzma' }, { file: 'holdfast.config.json' })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringMatching(/lzma.*zstd.*gzip.*none \(holdfast\.config\.json\)/u) as string,
    })
  })
})

describe('encryption', () => {
  it('follows compression', async () => {
    const { stages } = await resolved({ encrypt: { age: { recipients: ['age1x'] } } })
    expect(stages.map(({ kind, settings }) => [kind.id, settings])).toEqual([
      ['zstd', {}],
      ['age', { recipients: ['age1x'] }],
    ])
  })

  it('is one kind', async () => {
    await expect(resolved({ encrypt: {} })).rejects.toMatchObject({ code: 'config.invalid' })
    await expect(resolved({ encrypt: { age: {}, openpgp: { recipients: ['x'] } } })).rejects.toMatchObject({
      message: 'encrypt (the configuration) takes exactly one of age',
    })
  })
})

it('a function may make the file names', async () => {
  const filename = () => 'x'
  expect((await resolved({ filename })).filename).toBe(filename)
  expect((await resolved({ filename }, { variables: { HOLDFAST_FILENAME: 'y' } })).filename).toBe('y')
})

it('a template without {datetime} is allowed', async () => {
  expect((await resolved({ filename: 'latest.{extension}' })).filename).toBe('latest.{extension}')
})

it('FAILURES 71: no secret shows in the settings, however they are printed', async () => {
  const settings = await resolved({
    databases: {
      a: {
        url: 'postgres://me:hunter22@h/a',
        adminUser: 'root',
        adminPassword: 'hunter22',
        backup: { password: 'hunter22' },
      },
    },
    encrypt: { age: { passphrase: 'hunter22' } },
  })
  const shop = settings.databases.get('a')
  expect(shop?.admin?.password?.reveal()).toBe('hunter22')
  for (const shown of [
    inspect(settings, { depth: 20 }),
    JSON.stringify([...settings.databases], null, 1),
    JSON.stringify(settings),
  ]) {
    expect(shown).not.toContain('hunter22')
  }
})
