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

/** What each shell proposes for words of which the last is being typed. */
const asked: Readonly<Record<string, (words: readonly string[]) => string>> = {
  bash: (words) => `eval "$(holdfast completion bash)"
    COMP_WORDS=(${words.map(quoted).join(' ')}); COMP_CWORD=${words.length - 1}; _holdfast
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Completion proper needs a line editor; compadd is where its proposals go.
  zsh: (words) => `autoload -Uz compinit; compinit -u -D; eval "$(holdfast completion zsh)"
    compadd() { shift; print -rl -- "$@" }
    words=(${words.map(quoted).join(' ')}); CURRENT=${words.length}; $_comps[holdfast]`,
  fish: (words) => `holdfast completion fish | source; complete -C ${quoted(words.join(' '))}`,
}

const quoted = (word: string) => `'${word}'`

for (const shell of Object.keys(asked)) {
  needsAll(built, needsTool(shell)).describe(`completion in ${shell}`, () => {
    it.each([
      ['pr', ['prune']],
      ['backup sh', ['shop']],
      ['backup --exclude-', ['--exclude-data']],
      ['restore --clean ', ['none', 'objects', 'database']],
    ])('completes holdfast %s', async (typed, proposals) => {
      const cwd = await project()
      const script = asked[shell]?.(['holdfast', ...typed.split(' ')]) ?? ''
      const env = { ...process.env, PATH: withCommand(cwd), HOME: cwd }
      const { stdout, stderr } = spawnSync(shell, [...(shell === 'zsh' ? ['-f'] : []), '-c', script], {
        cwd,
        env,
      })
      expect(stderr.toString()).toBe('')
      expect(stdout.toString().trimEnd().split('\n').sort()).toEqual([...proposals].sort())
    })
  })
}

built.it('completion prints a script for each shell', async () => {
  const cwd = await project()
  for (const shell of ['bash', 'zsh', 'fish']) {
    const ended = await holdfast(['completion', shell], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toContain('holdfast __complete')
  }
})
