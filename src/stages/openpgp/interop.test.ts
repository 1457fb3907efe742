import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { needsTool } from '../../../test/servers/needs.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { randomData, rowData, StageBench } from '../../testing/stage-bench.js'
import type { KeyRing } from '../stage.js'
import { openpgp } from './stage.js'

const gpg = needsTool('gpg')
const { it } = gpg
const folder = await nodeEnv().temporaryDirectory()
const outerHome = process.env['GNUPGHOME']

/** Runs gpg with the keyring at GNUPGHOME. */
const program = (args: readonly string[], input: Buffer | string = '') =>
  execFileSync('gpg', ['--batch', '--quiet', ...args], {
    input,
    maxBuffer: 2 ** 30,
    stdio: ['pipe', 'pipe', 'ignore'],
  })

/** Makes a keyring of its own and uses it from now on. */
function useKeyring(name: string): void {
  process.env['GNUPGHOME'] = join(folder.path, name)
  mkdirSync(process.env['GNUPGHOME'], { recursive: true, mode: 0o700 })
}

const makeKey = (user: string, passphrase = '') =>
  program([
    '--passphrase',
    passphrase,
    '--pinentry-mode',
    'loopback',
    '--quick-gen-key',
    user,
    'future-default',
    'default',
    'never',
  ])

function ring(texts: readonly string[], passphrase?: string): KeyRing {
  return {
    identities: () => Promise.resolve(texts.map((text) => ({ source: 'key.asc', text: new Secret(text) }))),
    passphrase: () => Promise.resolve(passphrase === undefined ? undefined : new Secret(passphrase)),
  }
}

const keys = { public: '', private: '', rsaPublic: '', rsaPrivate: '', locked: '', lockedPublic: '' }
const noKeys = ring([])

beforeAll(() => {
  if (gpg.missing !== undefined) return
  useKeyring('own')
  const own = join(folder.path, 'own')
  makeKey('Owner <owner@example.org>')
  program(['--passphrase', '', '--quick-gen-key', 'Rsa <rsa@example.org>', 'default', 'default', 'never'])
  makeKey('Locked <locked@example.org>', 'open sesame')
  keys.public = program(['--export', '--armor', 'owner@example.org']).toString()
  keys.private = program(['--export-secret-keys', '--armor', 'owner@example.org']).toString()
  keys.rsaPublic = program(['--export', '--armor', 'rsa@example.org']).toString()
  keys.rsaPrivate = program(['--export-secret-keys', '--armor', 'rsa@example.org']).toString()
  keys.lockedPublic = program(['--export', '--armor', 'locked@example.org']).toString()
  const unlock = ['--pinentry-mode', 'loopback', '--passphrase', 'open sesame']
  keys.locked = program([...unlock, '--export-secret-keys', '--armor', 'locked@example.org']).toString()
  process.env['GNUPGHOME'] = own
})

afterAll(async () => {
  if (gpg.missing === undefined)
    for (const name of ['own', 'stranger', 'empty']) {
      useKeyring(name)
      execFileSync('gpgconf', ['--kill', 'all'])
    }
  if (outerHome === undefined) delete process.env['GNUPGHOME']
  else process.env['GNUPGHOME'] = outerHome
  await folder.remove()
})

const encoder = (recipients: readonly string[], alwaysTrust?: boolean) =>
  new StageBench(
    openpgp.create({ recipients, ...(alwaysTrust === undefined ? {} : { alwaysTrust }) }, noKeys),
  )
const decoder = (keyRing: KeyRing) => new StageBench(openpgp.create(undefined, keyRing))
const encryptTo = (user: string, data: Buffer, ...args: readonly string[]) =>
  program(['--trust-model', 'always', '--recipient', user, ...args, '--encrypt'], data)

describe('with the gpg program', () => {
  it('it decrypts what is written here, for keys of both kinds', async () => {
    for (const key of [keys.public, keys.rsaPublic])
      for (const bytes of [0, 1, 191, 192, 65_536, 3_000_000]) {
        const encoded = await encoder([key]).encode(randomData(bytes))
        expect(program(['--decrypt'], encoded.bytes).equals(randomData(bytes))).toBe(true)
      }
  })

  it('what it encrypts is read here, however it was told to write', async () => {
    const data = rowData(2_000_000)
    const waysOfGpg = [
      [],
      ['--compress-algo', 'none'],
      ['--compress-algo', 'zlib'],
      ['--compress-algo', 'bzip2'],
      ['--armor'],
      ['--cipher-algo', 'AES128'],
      ['--throw-keyids'],
      ['--set-filename', 'a name'],
    ]
    for (const way of waysOfGpg) {
      const encrypted = encryptTo('owner@example.org', data, ...way)
      expect((await decoder(ring([keys.private])).decode(encrypted, {})).equals(data), way.join(' ')).toBe(
        true,
      )
      expect((await decoder(noKeys).decode(encrypted, {})).equals(data), `by gpg: ${way.join(' ')}`).toBe(
        true,
      )
    }
    const empty = encryptTo('owner@example.org', Buffer.alloc(0))
    expect(await decoder(ring([keys.private])).decode(empty, {})).toEqual(Buffer.alloc(0))
  })

  it('a key file is a recipient, armored or binary, by a path from the working directory or an absolute one', async () => {
    const binary = program(['--export', 'owner@example.org'])
    const paths = [
      await folder.writeFile('owner.asc', keys.public),
      await folder.writeFile('owner.gpg', binary),
    ]
    for (const path of paths) {
      const { bytes } = await encoder([path]).encode(rowData(1000))
      expect(program(['--decrypt'], bytes)).toEqual(rowData(1000))
    }
    await expect(encoder(['./keys/missing.asc']).encode(rowData(10))).rejects.toMatchObject({
      code: 'key.invalid',
      message: 'the key file ./keys/missing.asc does not exist',
    })
    const text = await folder.writeFile('text.asc', 'not a key')
    await expect(encoder([text]).encode(rowData(10))).rejects.toMatchObject({ code: 'key.invalid' })
    const secret = await folder.writeFile('secret.asc', keys.private)
    await expect(encoder([secret]).encode(rowData(10))).rejects.toMatchObject({ code: 'key.invalid' })
  })

  it('a key of the keyring is a recipient, by e-mail or fingerprint, beside keys that are given', async () => {
    const fingerprint = /fpr:+([0-9A-F]{40}):/u.exec(
      program(['--with-colons', '--list-keys', 'owner@example.org']).toString(),
    )?.[1]
    for (const name of ['owner@example.org', fingerprint ?? ''])
      for (const recipients of [[name], [name, keys.rsaPublic]]) {
        const { bytes, facts } = await encoder(recipients).encode(rowData(300_000))
        expect((await decoder(ring([keys.private])).decode(bytes, facts)).equals(rowData(300_000))).toBe(true)
        if (recipients.length === 2)
          expect((await decoder(ring([keys.rsaPrivate])).decode(bytes, facts)).equals(rowData(300_000))).toBe(
            true,
          )
      }
  })

  it('a key that gpg does not trust is refused, unless told otherwise; one that is unknown always', async () => {
    useKeyring('stranger')
    program(['--import'], keys.public)
    await expect(encoder(['owner@example.org']).encode(rowData(10))).rejects.toMatchObject({
      code: 'key.invalid',
      message: 'gpg does not trust the key of owner@example.org',
    })
    const { bytes } = await encoder(['owner@example.org'], true).encode(rowData(10))
    await expect(encoder(['nobody@example.org'], true).encode(rowData(10))).rejects.toMatchObject({
      code: 'key.invalid',
      message: 'gpg has no usable public key for nobody@example.org',
    })
    useKeyring('own')
    expect(await decoder(noKeys).decode(bytes, {})).toEqual(rowData(10))
  })

  it('without identities the keyring decrypts, and says what is wrong', async () => {
    const { bytes, facts } = await encoder([keys.public]).encode(randomData(200_000))
    expect((await decoder(noKeys).decode(bytes, facts)).equals(randomData(200_000))).toBe(true)
    for (const cut of [0, 1, 10, 50, 94, 95, 96, 97, 100, 1000, 100_000, bytes.length - 1])
      await expect(decoder(noKeys).decode(bytes.subarray(0, cut), {}), `cut at ${cut}`).rejects.toMatchObject(
        {
          code: 'integrity.truncated',
        },
      )
    const changed = Buffer.from(bytes)
    changed[100_000] = (changed[100_000] as number) ^ 1
    await expect(decoder(noKeys).decode(changed, {})).rejects.toMatchObject({ code: 'integrity.checksum' })
    await decoder(noKeys).refuses(
      Buffer.concat([bytes, Buffer.from('more')]),
      {},
      'data with something after them',
    )
    await decoder(noKeys).refuses(Buffer.from('nothing of that kind'), {}, 'text')
    useKeyring('empty')
    await expect(decoder(noKeys).decode(bytes, facts)).rejects.toMatchObject({ code: 'key.missing' })
    useKeyring('own')
  })

  it('FAILURES 17: wrong, locked and malformed private keys have errors of their own', async () => {
    const { bytes } = await encoder([keys.lockedPublic]).encode(rowData(1000))
    expect(await decoder(ring([keys.locked], 'open sesame')).decode(bytes, {})).toEqual(rowData(1000))
    const cases: [KeyRing, string][] = [
      [ring([keys.private]), 'integrity.wrong-key'],
      [ring([keys.locked], 'close sesame'), 'integrity.wrong-key'],
      [ring([keys.locked]), 'key.missing'],
      [ring([keys.locked.replace(/\n[^\n]{60}/u, '\n')], 'open sesame'), 'key.invalid'],
      [ring(['no key']), 'key.invalid'],
    ]
    for (const [keyRing, code] of cases)
      await expect(decoder(keyRing).decode(bytes, {})).rejects.toMatchObject({ code })
    // The keys of other stages in the ring are no obstacle, nor are others of its own.
    const mixed = ring(['# age\nAGE-SECRET-KEY-1XYZ', keys.private, keys.locked], 'open sesame')
    expect(await decoder(mixed).decode(bytes, {})).toEqual(rowData(1000))
  })

  it('FAILURES 17: a key that does not open a message with hidden recipients', async () => {
    const encrypted = encryptTo('owner@example.org', rowData(1000), '--throw-keyids')
    await expect(decoder(ring([keys.rsaPrivate])).decode(encrypted, {})).rejects.toMatchObject({
      code: 'integrity.wrong-key',
    })
  })

  it('a key that is expired is refused before the first byte is written', async () => {
    program([
      '--passphrase',
      '',
      '--faked-system-time',
      '20200101T000000',
      '--quick-gen-key',
      'Old <old@example.org>',
      'future-default',
      'default',
      '1d',
    ])
    const old = program(['--export', '--armor', 'old@example.org']).toString()
    await expect(encoder([old]).encode(rowData(10))).rejects.toMatchObject({ code: 'key.invalid' })
  })
})
