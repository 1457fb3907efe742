import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeShop, testFolder } from '../flows/workbench.js'
import { built, documentOf, holdfast, project } from './command-line.js'

built.describe('configuration', () => {
  it('an unknown key is an error with the nearest name', async () => {
    const cwd = await project({ databases: { default: { url: 'sqlite:./shop.sqlite3', exlude: ['a'] } } })
    expect(await holdfast(['list'], { cwd })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: holdfast.config.json: databases.default.exlude is not known; did you mean exclude [config.unknown-key]\n' +
        'hint: correct the spelling, or remove the key\n',
    })
  })

  it('every mistake is told at once', async () => {
    const cwd = await project({ databases: { a: { url: 5 } }, compres: 'zstd' })
    const ended = await holdfast(['list', '--json'], { cwd })
    expect(ended).toMatchObject({ code: 2, stderr: '' })
    expect(documentOf(ended).error).toMatchObject({
      code: 'config.invalid',
      details: {
        issues: ['databases.a.url: expected a text', 'compres is not known; did you mean compress'],
      },
    })
  })

  it('TypeScript works without holdfast being installed beside it, and is found from below', async () => {
    const cwd = await testFolder()
    makeShop(join(cwd, 'shop.sqlite3'), 5)
    mkdirSync(join(cwd, 'packages'))
    writeFileSync(
      join(cwd, 'holdfast.config.ts'),
      `import { defineConfig, env } from 'holdfast'
       const url: string = env('SHOP_URL')
       export default defineConfig({ databases: { shop: { url } } })`,
    )
    const variables = { SHOP_URL: 'sqlite:./shop.sqlite3' }
    const ended = await holdfast(['backup', '--json'], { cwd: join(cwd, 'packages'), variables })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(documentOf(ended)).toMatchObject({ outcomes: [{ database: 'shop', ok: true, storage: 'main' }] })
    const missing = await holdfast(['backup'], { cwd })
    expect(missing.code).toBe(2)
    expect(missing.stderr).toMatch(/holdfast\.config\.ts:2:\d+: neither SHOP_URL nor SHOP_URL_FILE is set/u)
  })

  it('a hook in the configuration runs, and may refuse', async () => {
    const cwd = await testFolder()
    makeShop(join(cwd, 'shop.sqlite3'), 5)
    writeFileSync(
      join(cwd, 'holdfast.config.mjs'),
      `export default { databases: { shop: 'sqlite:./shop.sqlite3' },
        hooks: { beforeBackup: ({ database }) => { throw new Error('not ' + database.alias + ' today') } } }`,
    )
    const ended = await holdfast(['backup'], { cwd })
    expect(ended).toMatchObject({ code: 8, stdout: '' })
    expect(ended.stderr).toContain('not shop today [refused.hook]')
  })

  it('flag wins over environment, environment over file', async () => {
    const cwd = await project({ compress: 'gzip' })
    const stages = async (args: readonly string[], variables: Record<string, string> = {}) => {
      const { code, stderr } = await holdfast(['backup', ...args, '-q'], { cwd, variables })
      expect([code, stderr]).toEqual([0, ''])
      const shown = documentOf(await holdfast(['list', '--json'], { cwd })) as unknown as {
        backups: { stages: string[] }[]
      }
      return shown.backups[0]?.stages
    }
    expect(await stages([])).toEqual(['gzip'])
    expect(await stages([], { HOLDFAST_COMPRESS: 'zstd' })).toEqual(['zstd'])
    expect(await stages(['--compress', 'none'], { HOLDFAST_COMPRESS: 'zstd' })).toEqual([])
  })

  it('an error of a value says where it came from', async () => {
    const cwd = await project()
    const variables = { HOLDFAST_COMPRESS: 'gzip:12' }
    expect((await holdfast(['list'], { cwd, variables })).stderr).toMatch(
      /^error: compress \(environment HOLDFAST_COMPRESS\): .*12/u,
    )
    expect((await holdfast(['backup', '--compress', 'zstd:x'], { cwd })).stderr).toContain('(--compress)')
    expect((await holdfast(['list', '--storage', 'offsite'], { cwd })).stderr).toContain(
      'there is no storage offsite (--storage); known: main',
    )
  })

  it('HOLDFAST_CONFIG and --config name a file', async () => {
    const cwd = await project()
    writeFileSync(join(cwd, 'other.json'), '{"serverName":3}')
    for (const [args, variables] of [
      [['--config', 'other.json'], {}],
      [[], { HOLDFAST_CONFIG: 'other.json' }],
    ] as const) {
      const ended = await holdfast(['list', ...args], { cwd, variables })
      expect(ended.code).toBe(2)
      expect(ended.stderr).toContain('other.json: serverName: expected a text')
    }
  })
})

built.describe('config', () => {
  it('tells every setting and where it came from, and no secret', async () => {
    const databases = { far: { url: 'postgres://me:hunter22@h:5/x', backup: { host: 'replica' } } }
    const cwd = await project({ databases, encrypt: { age: { passphrase: 'hunter22' } } })
    const variables = { HOLDFAST_COMPRESS: 'gzip:9' }
    const text = await holdfast(['config'], { cwd, variables })
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(text.stdout).toMatch(/^compress +gzip:9 +environment HOLDFAST_COMPRESS$/mu)
    expect(text.stdout).toMatch(/^databases\.far\.host +h +holdfast\.config\.json$/mu)
    expect(text.stdout).toMatch(/^databases\.far\.backup\.host +replica +holdfast\.config\.json$/mu)
    expect(text.stdout).toMatch(/^databases\.far\.password +\*\*\* /mu)
    const json = await holdfast(['config', '--json'], { cwd })
    expect(documentOf(json)).toMatchObject({ command: 'config', baseDirectory: cwd })
    expect(documentOf(json)['settings']).toContainEqual({
      name: 'serverName',
      value: 'test',
      origin: 'holdfast.config.json',
    })
    expect(documentOf(json)['settings']).toContainEqual({
      name: 'compress',
      value: 'zstd',
      origin: 'default',
    })
    expect(text.stdout + json.stdout).not.toContain('hunter22')
  })

  it('tells command settings, and no value of a variable', async () => {
    const far = {
      url: 'postgres://h/x',
      dumpPrefix: "nice -n 10 'a b'",
      toolArgs: ['--verbose', '--password=hunter22'],
      singleTransaction: false,
      dumpEnv: { PGOPTIONS: 'hunter22' },
      inheritEnv: false,
      storages: ['main'],
    }
    const cwd = await project({ databases: { far }, storages: { main: './b', offsite: './o' } })
    const { code, stdout } = await holdfast(['config', '--json'], { cwd })
    expect(code).toBe(0)
    const { settings } = JSON.parse(stdout) as { settings: { name: string; value: unknown }[] }
    const value = (name: string) => settings.find((each) => each.name === `databases.far.${name}`)?.value
    expect(value('dumpPrefix')).toEqual(['nice', '-n', '10', 'a b'])
    expect(value('toolArgs')).toEqual(['--verbose', '--password=***'])
    expect(value('singleTransaction')).toBe(false)
    expect(value('dumpEnv')).toEqual({ PGOPTIONS: '***' })
    expect(value('inheritEnv')).toBe(false)
    expect(value('storages')).toEqual(['main'])
    expect(stdout).not.toContain('hunter22')
  })
})

built.describe('init', () => {
  it('writes a file that works as it is, from .env', async () => {
    const cwd = await testFolder()
    makeShop(join(cwd, 'shop.sqlite3'), 5)
    writeFileSync(join(cwd, '.env'), 'DATABASE_URL="sqlite:./shop.sqlite3"\n')
    const ended = await holdfast(['init'], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toContain('wrote holdfast.config.ts, which loads .env')
    expect(ended.stdout).toContain('default  sqlite, from .env')
    expect((await holdfast(['backup'], { cwd })).code).toBe(0)
    const again = await holdfast(['init'], { cwd })
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(again.stderr).toContain('there is a configuration file already: holdfast.config.ts')
    expect(await holdfast(['init', '--force', '-q'], { cwd })).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('tells a program what it did', async () => {
    const cwd = await testFolder()
    const ended = await holdfast(['init', '--format', 'mjs', '--json'], { cwd })
    expect(documentOf(ended)).toEqual({
      holdfast: 1,
      command: 'init',
      file: join(cwd, 'holdfast.config.mjs'),
      findings: [],
      advice: ['fill in the database in holdfast.config.mjs'],
    })
  })
})
