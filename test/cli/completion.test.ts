import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { needsAll, needsTool } from '../servers/needs.js'
import { built, holdfast, program, project } from './command-line.js'

/** A folder for PATH in which the command is called holdfast. */
function withCommand(cwd: string): string {
  const bin = join(cwd, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'holdfast'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(join(bin, 'holdfast'), 0o755)
  return `${bin}:${process.env['PATH'] ?? ''}`
}

needsAll(built, needsTool('bash')).describe('completion', () => {
  it.each([
    ['pr', ['prune']],
    ['backup sh', ['shop']],
    ['backup --exclude-', ['--exclude-data']],
    ['restore --clean ', ['none', 'objects', 'database']],
  ])('bash completes holdfast %s', async (typed, proposals) => {
    const cwd = await project()
    const words = ['holdfast', ...typed.split(' ')].map((word) => `'${word}'`)
    const script = `eval "$(holdfast completion bash)"
      COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _holdfast
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { ...process.env, PATH: withCommand(cwd) }
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd, env })
    expect(stderr.toString()).toBe('')
    expect(stdout.toString().trimEnd().split('\n')).toEqual(proposals)
  })
})

built.it('completion prints a script for each shell', async () => {
  const cwd = await project()
  for (const shell of ['bash', 'zsh', 'fish']) {
    const ended = await holdfast(['completion', shell], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toContain('holdfast __complete')
  }
})
