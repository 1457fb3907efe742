import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { machine } from '../config/fixture.js'
import { Secret } from '../env/secret.js'
import { keyRing } from './keys.js'

const nobody = () => Promise.resolve(undefined)

describe('identities', () => {
  it('come from the flags first, then from the environment', async () => {
    const files = { 'a.txt': 'KEY-A\n', 'b.txt': 'KEY-B\n', 'c.txt': 'KEY-C\n' }
    const env = await machine(files)
    const variables = { HOLDFAST_IDENTITY_FILE: join(env.workingDirectory, 'c.txt') }
    const ring = keyRing({ ...env, variables }, { identity: ['a.txt', 'b.txt'] }, nobody)
    expect((await ring.identities()).map(({ text }) => text.reveal())).toEqual([
      'KEY-A\n',
      'KEY-B\n',
      'KEY-C',
    ])
  })

  it('a file that is not there is named', async () => {
    const ring = keyRing(await machine(), { identity: ['nope.txt'] }, nobody)
    await expect(ring.identities()).rejects.toMatchObject({
      code: 'key.invalid',
      message: '--identity nope.txt cannot be read (ENOENT)',
    })
  })
})

describe('the passphrase', () => {
  const ask = () => Promise.resolve(new Secret('typed'))

  it('comes from the file, then the environment, then whoever is there', async () => {
    const env = await machine({ 'pw.txt': 'from file\n' }, { HOLDFAST_PASSPHRASE: 'from variable' })
    const reveal = async (ring: ReturnType<typeof keyRing>) => (await ring.passphrase())?.reveal()
    expect(await reveal(keyRing(env, { passphraseFile: 'pw.txt' }, ask))).toBe('from file')
    expect(await reveal(keyRing(env, {}, ask))).toBe('from variable')
    expect(await reveal(keyRing({ ...env, variables: {} }, {}, ask))).toBe('typed')
    expect(await reveal(keyRing({ ...env, variables: {} }, {}, nobody))).toBeUndefined()
  })

  it('is asked for once', async () => {
    let asked = 0
    const counting = () => {
      asked += 1
      return ask()
    }
    const ring = keyRing(await machine(), {}, counting)
    await Promise.all([ring.passphrase(), ring.passphrase()])
    await ring.passphrase()
    expect(asked).toBe(1)
  })
})
