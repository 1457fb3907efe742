import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeShop, testFolder } from '../flows/workbench.js'
import { built, documentOf, holdfast, program } from './command-line.js'

const packageFile = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}
const { version } = packageFile

built.describe('the command line', () => {
  it('tells its version', async () => {
    const cwd = await testFolder()
    expect(await holdfast(['--version'], { cwd })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    expect((await holdfast(['version'], { cwd })).stdout).toBe(`${version}\n`)
    const json = await holdfast(['--version', '--json'], { cwd })
    expect(documentOf(json)).toEqual({ holdfast: 1, command: 'version', version })
  })

  it('starts fast: little more than Node itself takes', async () => {
    const hook = join(await testFolder(), 'tell-time.cjs')
    writeFileSync(
      hook,
      "process.on('exit', () => require('node:fs').writeSync(3, JSON.stringify(process.cpuUsage())))",
    )
    // Of the processor, and not by the clock: other work on the machine is none of the program's.
    const leastMs = (args: readonly string[]) =>
      Math.min(
        ...Array.from({ length: 6 }, () => {
          const { output } = spawnSync(process.execPath, ['--require', hook, ...args], {
            stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
          })
          const { user, system } = JSON.parse(String(output[3])) as NodeJS.CpuUsage
          return (user + system) / 1000
        }),
      )
    const node = leastMs(['-e', '0'])
    expect(leastMs([program, '--version']) - node).toBeLessThan(150)
    expect(leastMs([program, 'help', 'backup']) - node).toBeLessThan(150)
  })

  it('loads the library of a service where it is used, and of no other', async () => {
    const cwd = await testFolder()
    makeShop(join(cwd, 'shop.sqlite3'))
    const recorder = join(cwd, 'recorder.mjs')
    writeFileSync(
      recorder,
      `import { appendFileSync } from 'node:fs'
       import { register } from 'node:module'
       if (process.argv[1] !== undefined) register(import.meta.url)
       export const resolve = (specifier, context, next) => {
         if (/^[@a-z]/.test(specifier)) appendFileSync('imports.txt', specifier + '\\n')
         return next(specifier, context)
       }`,
    )
    writeFileSync(
      join(cwd, 'holdfast.config.json'),
      JSON.stringify({
        databases: { shop: 'sqlite:./shop.sqlite3' },
        storages: {
          main: './backups',
          offsite: { driver: 's3', bucket: 'b', endpoint: 'http://127.0.0.1:1', retryFor: '0' },
        },
      }),
    )
    const importsOf = (...args: readonly string[]) => {
      rmSync(join(cwd, 'imports.txt'), { force: true })
      spawnSync(process.execPath, ['--import', recorder, program, ...args], { cwd })
      return readFileSync(join(cwd, 'imports.txt'), 'utf8').split('\n')
    }
    const { dependencies } = packageFile
    const loaded = (...args: readonly string[]) =>
      importsOf(...args).filter((name) => Object.keys(dependencies).includes(name))
    expect(loaded('backup', '--storage', 'main')).toEqual(['@stricli/core', 'xxhash-wasm'])
    expect(loaded('backup', '--storage', 'offsite')).toContain('@aws-sdk/client-s3')
  })

  it('prints help on stdout, the same in every way of asking for it', async () => {
    const cwd = await testFolder()
    const overview = await holdfast([], { cwd })
    expect(overview).toMatchObject({ code: 0, stderr: '' })
    expect(overview.stdout).toContain('\nBackups\n')
    for (const args of [['--help'], ['help'], ['-h']]) expect(await holdfast(args, { cwd })).toEqual(overview)
    const restore = await holdfast(['help', 'restore'], { cwd })
    expect(restore.stdout).toContain('holdfast restore [backup] [options]')
    for (const args of [
      ['restore', '--help'],
      ['--help', 'restore'],
      ['restore', '--yes', '-h'],
    ])
      expect(await holdfast(args, { cwd })).toEqual(restore)
  })

  it('needs no home, no terminal and no variables', async () => {
    const cwd = await testFolder()
    const { status, stdout } = spawnSync(process.execPath, [program, '--version'], { cwd, env: {} })
    expect([status, stdout.toString()]).toEqual([0, `${version}\n`])
  })

  it('does not mind a reader that goes away', async () => {
    const cwd = await testFolder()
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `'${process.execPath}' '${program}' help | head -n 1`],
      { cwd },
    )
    expect([status, stderr.toString()]).toEqual([0, ''])
  })
})
