import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { testFolder } from '../flows/workbench.js'
import { built, documentOf, holdfast, program } from './command-line.js'

const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

built.describe('the command line', () => {
  it('tells its version', async () => {
    const cwd = await testFolder()
    expect(await holdfast(['--version'], { cwd })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    expect((await holdfast(['version'], { cwd })).stdout).toBe(`${version}\n`)
    const json = await holdfast(['--version', '--json'], { cwd })
    expect(documentOf(json)).toEqual({ holdfast: 1, command: 'version', version })
  })

  it('starts fast: little more than Node itself takes', () => {
    const fastest = (args: readonly string[]) =>
      Math.min(
        ...Array.from({ length: 10 }, () => {
          const started = performance.now()
          spawnSync(process.execPath, args)
          return performance.now() - started
        }),
      )
    const node = fastest(['-e', '0'])
    expect(fastest([program, '--version']) - node).toBeLessThan(150)
    expect(fastest([program, 'help', 'backup']) - node).toBeLessThan(150)
  })

  it('prints help on stdout, the same in every way of asking for it', async () => {
    const cwd = await testFolder()
    const overview = await holdfast([], { cwd })
    expect(overview).toMatchObject({ code: 0, stderr: '' })
    expect(overview.stdout).toContain('\nCommands\n')
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
