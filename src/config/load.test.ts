import { randomUUID } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { env as variable } from './variable.js'
import { machine } from './fixture.js'
import { loadConfigFile } from './load.js'

/** What a configuration file sees as `holdfast`. */
const holdfast = () => Promise.resolve({ defineConfig: (config: unknown) => config, env: variable })

describe('finding', () => {
  it('nothing is fine', async () => {
    const env = await machine()
    expect(await loadConfigFile(env)).toEqual({ config: {}, baseDirectory: env.workingDirectory })
  })

  it('goes from the working directory upward, and paths are relative to where it lies', async () => {
    const env = await machine({ 'holdfast.config.json': '{"serverName":"up"}', 'packages/web/x': '' })
    const loaded = await loadConfigFile({
      ...env,
      workingDirectory: join(env.workingDirectory, 'packages/web'),
    })
    expect(loaded).toEqual({
      config: { serverName: 'up' },
      file: join(env.workingDirectory, 'holdfast.config.json'),
      baseDirectory: env.workingDirectory,
    })
  })

  it('the nearest wins, and TypeScript before JSON', async () => {
    const env = await machine({
      'holdfast.config.json': '{"serverName":"json"}',
      'holdfast.config.ts': 'export default { serverName: "ts" }',
      'sub/holdfast.config.json': '{"serverName":"sub"}',
    })
    expect((await loadConfigFile(env)).config).toEqual({ serverName: 'ts' })
    const inside = { ...env, workingDirectory: join(env.workingDirectory, 'sub') }
    expect((await loadConfigFile(inside)).config).toEqual({ serverName: 'sub' })
  })

  it('takes the file that is named by flag or HOLDFAST_CONFIG, and no other', async () => {
    const env = await machine({ 'other.json': '{"serverName":"other"}', 'holdfast.config.json': '{}' })
    const named = { serverName: 'other' }
    expect((await loadConfigFile(env, { configFile: 'other.json' })).config).toEqual(named)
    expect((await loadConfigFile({ ...env, variables: { HOLDFAST_CONFIG: './other.json' } })).config).toEqual(
      named,
    )
    await expect(loadConfigFile(env, { configFile: 'nix.json' })).rejects.toMatchObject({
      code: 'config.not-found',
      message: 'there is no configuration file nix.json (--config)',
    })
  })
})

describe('running', () => {
  it.each(['ts', 'mts'])('%s with types and the helpers of holdfast', async (ending) => {
    process.env['HOLDFAST_TEST_NAME'] = 'from-env'
    const env = await machine({
      [`holdfast.config.${ending}`]: `
        import { defineConfig, env } from 'holdfast'
        interface Named { serverName: string }
        const named: Named = { serverName: env('HOLDFAST_TEST_NAME') }
        export default defineConfig(named satisfies Named)`,
    })
    expect((await loadConfigFile(env, { holdfast })).config).toEqual({ serverName: 'from-env' })
    delete process.env['HOLDFAST_TEST_NAME']
  })

  it.each(['js', 'mjs'])('%s, also where holdfast is not installed beside it', async (ending) => {
    const name = `holdfast.config.${ending}`
    const plain = await machine({
      [name]: 'export default { serverName: "plain" }',
      'package.json': '{"type":"module"}',
    })
    expect((await loadConfigFile(plain)).config).toEqual({ serverName: 'plain' })
    const importing = await machine({
      [name]: `import { defineConfig } from 'holdfast'; export default defineConfig({ serverName: 'x' })`,
      'package.json': '{"type":"module"}',
    })
    expect((await loadConfigFile(importing, { holdfast })).config).toEqual({ serverName: 'x' })
  })

  it("the caller's env has its say in a file that Node runs with the installed package", async () => {
    const env = await machine({
      'node_modules/holdfast/package.json': '{"type":"module","exports":"./index.js"}',
      'node_modules/holdfast/index.js': `export const env = () => {
        throw Object.assign(new Error('not set'), { name: 'HoldfastError', code: 'config.missing-variable' })
      }`,
      'holdfast.config.mjs': `import { env } from 'holdfast'; export default { serverName: env('X') }`,
    })
    const standIn = () => Promise.resolve({ env: () => 'stand-in' })
    expect((await loadConfigFile(env, { holdfast: standIn })).config).toEqual({ serverName: 'stand-in' })
  })

  it('loads an .env file where the file says so, and otherwise none', async () => {
    const text = (load: string) => `
      import { env } from 'holdfast'
      ${load}
      export default { serverName: env('HOLDFAST_TEST_DOTENV') }`
    const without = await machine({ '.env': 'HOLDFAST_TEST_DOTENV=x', 'holdfast.config.ts': text('') })
    await expect(loadConfigFile(without, { holdfast })).rejects.toMatchObject({
      code: 'config.missing-variable',
    })
    const saying = await machine({
      '.env': 'HOLDFAST_TEST_DOTENV=x',
      'holdfast.config.ts': text(`process.loadEnvFile(new URL('.env', import.meta.url))`),
    })
    expect((await loadConfigFile(saying, { holdfast })).config).toEqual({ serverName: 'x' })
    delete process.env['HOLDFAST_TEST_DOTENV']
  })
})

describe('a file that cannot be used', () => {
  it.each([
    ['holdfast.config.ts', 'export default {\n  a: 1,,\n}', /^holdfast\.config\.ts:2:\d+: Unexpected token/u],
    ['holdfast.config.ts', '\nthrow new Error("no luck")', /^holdfast\.config\.ts:2:\d+: no luck$/u],
    [
      'holdfast.config.mjs',
      'export default null\nthrow new TypeError("no luck")',
      /^holdfast\.config\.mjs:2:\d+: no luck$/u,
    ],
    ['holdfast.config.ts', 'export const config = {}', /^holdfast\.config\.ts has no default export$/u],
    ['holdfast.config.ts', 'import "./nowhere.js"; export default {}', /^holdfast\.config\.ts.*nowhere/u],
    ['holdfast.config.json', '{\n  "a": 1,\n}', /^holdfast\.config\.json:3:1 is not JSON from there on$/u],
    ['holdfast.config.json', '', /^holdfast\.config\.json:1:1 is not JSON/u],
  ])('%s %j', async (name, text, message) => {
    const env = await machine({ [name]: text })
    await expect(loadConfigFile(env, { holdfast })).rejects.toMatchObject({
      code: 'config.unreadable',
      message: expect.stringMatching(message) as string,
    })
  })

  it('a missing variable keeps its code, and the place is named', async () => {
    const text = `import { env } from 'holdfast'\n\nexport default { serverName: env('HOLDFAST_TEST_MISSING') }`
    const env = await machine({ 'holdfast.config.ts': text })
    await expect(loadConfigFile(env, { holdfast })).rejects.toMatchObject({
      code: 'config.missing-variable',
      message: expect.stringMatching(
        /^holdfast\.config\.ts:3:\d+: neither HOLDFAST_TEST_MISSING nor HOLDFAST_TEST_MISSING_FILE is set$/u,
      ) as string,
    })
  })

  it('FAILURES 71: the text of a broken JSON file, which may hold secrets, is not in the error', async () => {
    const env = await machine({
      'holdfast.config.json': '{"databases": {"a": {"password": "hunter22" "port": 1}}}',
    })
    const error: unknown = await loadConfigFile(env).catch((thrown: unknown) => thrown)
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('hunter22')
  })

  it('FAILURES 71: no copy of a TypeScript file is left in the temporary folder', async () => {
    const marker = randomUUID()
    const env = await machine({
      'holdfast.config.ts': `export default { serverName: '${marker}' as string }`,
    })
    await loadConfigFile(env)
    // Where the loader's own cache would be.
    const cache = join(tmpdir(), 'jiti')
    for (const name of await readdir(cache).catch(() => [])) {
      expect(await readFile(join(cache, name), 'utf8')).not.toContain(marker)
    }
  })
})

it('a byte order mark is no mistake', async () => {
  const env = await machine()
  await writeFile(join(env.workingDirectory, 'holdfast.config.json'), '\uFEFF{"serverName":"x"}')
  expect((await loadConfigFile(env)).config).toEqual({ serverName: 'x' })
})
