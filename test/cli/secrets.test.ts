import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { built, holdfast, project } from './command-line.js'

const password = 'hunter22-äö'
const inUrl = encodeURIComponent(password)

built.describe('FAILURES 71: a password is never printed', () => {
  it.each([
    ['backup'],
    ['backup', 'far'],
    ['doctor'],
    ['restore', '--database', 'far', '--dry-run'],
    ['backup', '--connector', 'nope'],
    ['list', '--storage', 'nope'],
  ])('by %s %s', async (...args) => {
    const databases = {
      far: { url: `postgres://me:${inUrl}@127.0.0.1:1/x`, adminUser: 'root', adminPassword: password },
      other: { engine: 'mysql', host: '127.0.0.1', port: 1, user: 'me', password, name: 'x' },
    }
    const cwd = await project({ databases, encrypt: { age: { passphrase: password } } })
    for (const format of [['--verbose'], ['--json']]) {
      const { stdout, stderr, code } = await holdfast([...args.filter(Boolean), ...format], { cwd })
      expect(code).not.toBe(0)
      for (const secret of [password, inUrl, 'hunter22']) expect(stdout + stderr).not.toContain(secret)
    }
  })

  it('where the configuration itself is wrong', async () => {
    const cwd = await project({
      databases: { far: { url: `postgres://me:${inUrl}@127.0.0.1:x/y`, port: password } },
    })
    for (const format of ['--verbose', '--json']) {
      const { stdout, stderr, code } = await holdfast(['list', format], { cwd })
      expect(code).toBe(2)
      expect(stdout + stderr).not.toContain('hunter22')
    }
    writeFileSync(join(cwd, 'holdfast.config.json'), `{"databases":{"a":"postgres://me:${inUrl}@h/x"`)
    expect((await holdfast(['list', '--verbose'], { cwd })).stderr).not.toContain('hunter22')
  })

  it('in a URL on the command line, where it is warned of', async () => {
    const cwd = await project()
    const ended = await holdfast(['backup', `postgres://me:${inUrl}@127.0.0.1:1/x`, '--verbose'], { cwd })
    expect(ended.code).toBe(4)
    expect(ended.stderr).toContain('warning: other users of this machine can see a password')
    expect(ended.stderr).not.toContain('hunter22')
  })
})
