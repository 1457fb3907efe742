import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Env } from '../env/env.js'
import { machine, registry } from './fixture.js'
import { init } from './init.js'
import { loadConfigFile } from './load.js'
import { resolveSettings } from './resolve.js'
import { env as variable } from './variable.js'

const holdfast = () => Promise.resolve({ defineConfig: (config: unknown) => config, env: variable })

async function resolvedFrom(env: Env) {
  const { config, baseDirectory, file } = await loadConfigFile(env, { holdfast })
  return resolveSettings({ config, env, registry, baseDirectory, ...(file === undefined ? {} : { file }) })
}

describe('the file that is written', () => {
  it.each(['ts', 'mjs'] as const)('%s works as it is, reading .env, and holds no secret', async (format) => {
    const env = await machine({
      '.env': 'DATABASE_URL=postgres://me:hunter22@h/shop\nDIRECT_URL=postgres://direct/shop',
    })
    const { file, advice } = await init(env, { format }, registry.engines)
    expect(file).toBe(join(env.workingDirectory, `holdfast.config.${format}`))
    expect(advice).toEqual([])
    expect(await readFile(file, 'utf8')).not.toContain('hunter22')
    const { databases, retention } = await resolvedFrom(env)
    expect(databases.get('default')).toMatchObject({
      connection: { name: 'shop', user: 'me' },
      backupConnection: { host: 'direct' },
    })
    expect(retention).toMatchObject({ daily: 14 })
    delete process.env['DATABASE_URL']
    delete process.env['DIRECT_URL']
  })

  it('names the file of a SQLite database', async () => {
    const env = await machine({
      'drizzle.config.ts': `export default { dialect: 'sqlite', url: 'file:data/app.db' }`,
    })
    await init(env, {}, registry.engines)
    const { databases } = await resolvedFrom(env)
    expect(databases.get('default')?.connection.name).toBe(join(env.workingDirectory, 'data/app.db'))
  })

  it('is whole where nothing was found, and says what to fill in', async () => {
    const env = await machine()
    const { findings, advice } = await init(env, {}, registry.engines)
    expect(findings).toEqual([])
    expect(advice).toEqual(['fill in the database in holdfast.config.ts'])
    expect((await resolvedFrom(env)).databases.size).toBe(0)
  })
})

describe('a file that is there', () => {
  it('is not replaced without --force', async () => {
    const env = await machine({ 'holdfast.config.json': '{}' })
    await expect(init(env, {}, registry.engines)).rejects.toMatchObject({
      code: 'usage.invalid',
      message: 'there is a configuration file already: holdfast.config.json',
    })
    await expect(stat(join(env.workingDirectory, 'holdfast.config.ts'))).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })

  it('is replaced with it', async () => {
    const env = await machine({ 'holdfast.config.ts': 'old' })
    const { file } = await init(env, { force: true }, registry.engines)
    expect(await readFile(file, 'utf8')).toContain('defineConfig')
  })

  it('that is used before the new one is to be removed', async () => {
    const env = await machine({ 'holdfast.config.ts': 'old' })
    const { advice } = await init(env, { force: true, format: 'mjs' }, registry.engines)
    expect(advice).toContain('remove holdfast.config.ts: it is used in place of holdfast.config.mjs')
  })
})

describe('.gitignore', () => {
  it('is advised in a repository that does not ignore backups, and left alone', async () => {
    const env = await machine({ '.git/HEAD': '', '.gitignore': 'node_modules\n' })
    const { advice } = await init(env, {}, registry.engines)
    expect(advice).toContainEqual(
      expect.stringMatching(/^add the line backups\/ to \.gitignore; private keys /u),
    )
    expect(await readFile(join(env.workingDirectory, '.gitignore'), 'utf8')).toBe('node_modules\n')
  })

  it.each(['backups/', '/backups', 'backups', '**/backups/'])('that holds %s is enough', async (line) => {
    const env = await machine({ '.git/HEAD': '', '.gitignore': `node_modules\n${line}\n` })
    expect((await init(env, {}, registry.engines)).advice.join()).not.toContain('.gitignore')
  })
})
