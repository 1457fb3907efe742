import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { needsBuild } from '../servers/needs.js'

const run = promisify(execFile)

/** What a program of Node printed, whether it ended well or not. */
const printed = (...args: readonly string[]) =>
  new Promise<string>((resolve) => {
    execFile(process.execPath, args, (_error, stdout, stderr) => resolve(stdout + stderr))
  })

const root = fileURLToPath(new URL('../..', import.meta.url))

needsBuild().describe('the package as users get it', () => {
  let folder: string
  let installed: string
  let tarball: string

  beforeAll(async () => {
    // Under node_modules, so that the package finds its dependencies as after an install.
    folder = await mkdtemp(join(root, 'node_modules', '.holdfast-package-'))
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root })
    const [packed] = JSON.parse(stdout) as [{ filename: string }]
    tarball = join(folder, packed.filename)
    installed = join(folder, 'node_modules', 'holdfast')
    await mkdir(installed, { recursive: true })
    await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed])
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('has nothing that publint finds wrong', async () => {
    const { messages, pkg } = await publint({ pkgDir: root, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([])
  })

  it('has types that resolve for every ESM user', async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const { stdout } = await run(process.execPath, [
      attw,
      tarball,
      '--profile',
      'esm-only',
      '--format',
      'json',
    ])
    const { analysis } = JSON.parse(stdout) as { analysis: { problems: unknown[]; types: { kind: string } } }
    expect(analysis.types).toMatchObject({ kind: 'included' })
  })

  it('holds neither sources nor tests', () => {
    for (const name of ['src', 'test', 'bench', 'node_modules'])
      expect(existsSync(join(installed, name)), name).toBe(false)
    for (const name of ['README.md', 'LICENSE', 'dist'])
      expect(existsSync(join(installed, name)), name).toBe(true)
  })

  it('runs its command line', async () => {
    const main = join(installed, 'dist/cli/main.js')
    expect((await readFile(main, 'utf8')).startsWith('#!/usr/bin/env node\n')).toBe(true)
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    const { stdout } = await run(process.execPath, [main, '--version'])
    expect(stdout.trim()).toBe(version)
  })

  it('is imported and typed by its name', async () => {
    await writeFile(
      join(folder, 'user.mts'),
      `import { createHoldfast, defineConfig, HoldfastError } from 'holdfast'
import * as testing from 'holdfast/testing'
const config = defineConfig({ databases: { default: { url: 'sqlite:./app.db' } } })
const holdfast = await createHoldfast(config)
console.log(typeof holdfast.backup, typeof HoldfastError, Object.keys(testing).length > 0)
`,
    )
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'NodeNext',
          target: 'ES2023',
          lib: ['ES2023'],
          strict: true,
          types: ['node'],
        },
        files: ['user.mts'],
      }),
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    expect(await printed(tsc, '-p', folder)).toBe('')
    const { stdout } = await run(process.execPath, [join(folder, 'user.mjs')], { cwd: folder })
    expect(stdout).toBe('function function true\n')
  })
})
