import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { expect, it } from 'vitest'
import { built, holdfast, project } from './command-line.js'

built.describe('keys', () => {
  it('an identity comes from a file or the environment, and verify says where there was none', async () => {
    const identity = await generateX25519Identity()
    const cwd = await project({ encrypt: { age: { recipients: [await identityToRecipient(identity)] } } })
    writeFileSync(join(cwd, 'key.txt'), `# a comment\n${identity}\n`)
    writeFileSync(join(cwd, 'other.txt'), `${await generateX25519Identity()}\n`)
    expect((await holdfast(['backup', '-q'], { cwd })).code).toBe(0)
    const verify = (args: readonly string[], variables: Record<string, string> = {}) =>
      holdfast(['verify', ...args], { cwd, variables })
    expect((await verify([])).stdout).toContain('no key to look inside')
    expect((await verify(['--identity', 'key.txt'])).stdout).toMatch(/ whole\n$/u)
    expect((await verify(['--identity', 'other.txt', '--identity', 'key.txt'])).stdout).toMatch(/ whole\n$/u)
    expect((await verify([], { HOLDFAST_IDENTITY: identity })).stdout).toMatch(/ whole\n$/u)
    expect((await verify([], { HOLDFAST_IDENTITY_FILE: join(cwd, 'key.txt') })).stdout).toMatch(/ whole\n$/u)
    expect(await verify(['--identity', 'other.txt'])).toMatchObject({ code: 7 })
    expect(await verify(['--identity', 'nope.txt'])).toMatchObject({ code: 2 })
    const doctor = (...args: string[]) => holdfast(['doctor', ...args], { cwd })
    expect((await doctor('--identity', 'key.txt')).stdout).toContain('key.txt: opens what is encrypted now')
    const other = await doctor('--identity', 'other.txt')
    expect(other).toMatchObject({ code: 0 })
    expect(other.stdout).toMatch(/! private key +other\.txt: opens nothing that is encrypted for/u)
    expect(await doctor('--identity', 'nope.txt')).toMatchObject({ code: 2 })
  })

  it('diff --rows takes a key, and names the artifact that needs one', async () => {
    const identity = await generateX25519Identity()
    const cwd = await project({ encrypt: { age: { recipients: [await identityToRecipient(identity)] } } })
    writeFileSync(join(cwd, 'key.txt'), `${identity}\n`)
    expect((await holdfast(['backup', '-q'], { cwd })).code).toBe(0)
    const without = await holdfast(['diff', '--rows'], { cwd })
    expect(without.code).toBe(2)
    expect(without.stderr).toMatch(
      /shop\/\S+\.age is encrypted, and its private key is needed \[key\.missing\]/u,
    )
    expect(await holdfast(['diff', '--rows', '--identity', 'key.txt'], { cwd })).toMatchObject({ code: 0 })
  })

  it('FAILURES 17: without the key, or with a wrong one, a restore does nothing', async () => {
    const cwd = await project({ encrypt: { age: { passphrase: 'correct horse' } } })
    expect((await holdfast(['backup', '-q'], { cwd })).code).toBe(0)
    const restore = (...args: string[]) => holdfast(['restore', '--yes', ...args], { cwd })
    expect(await restore()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[key.missing]') as string,
    })
    writeFileSync(join(cwd, 'wrong'), 'wrong\n')
    writeFileSync(join(cwd, 'right'), 'correct horse\n')
    expect(await restore('--passphrase-file', 'wrong')).toMatchObject({ code: 7 })
    expect(await restore('--passphrase-file', 'right')).toMatchObject({ code: 0 })
  })
})
