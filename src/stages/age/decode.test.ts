import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../env/secret.js'
import { connect } from '../../streams/connect.js'
import { chunked, context, oddlyChunked, randomData, rowData, StageBench } from '../../testing/stage-bench.js'
import type { KeyRing } from '../stage.js'
import { age, type AgeSettings } from './stage.js'

const identity = await generateX25519Identity()
const recipient = await identityToRecipient(identity)
const other = await generateX25519Identity()

function ring(identityTexts: readonly string[], passphrase?: string): KeyRing {
  return {
    identities: () =>
      Promise.resolve(identityTexts.map((text) => ({ source: 'key.txt', text: new Secret(text) }))),
    passphrase: () => Promise.resolve(passphrase === undefined ? undefined : new Secret(passphrase)),
  }
}

const stage = age.create({ recipients: [recipient] }, ring([identity]))
const bench = new StageBench(stage)
const decodeWith = (keys: KeyRing, bytes: Buffer) =>
  new StageBench(age.create(undefined, keys)).decode(bytes, {})
const sealedBytes = 64 * 1024 + 16

describe('settings', () => {
  const invalid: [AgeSettings, string][] = [
    [{}, 'config.invalid'],
    [{ recipients: [] }, 'config.invalid'],
    [{ recipients: [recipient], passphrase: new Secret('both') }, 'config.invalid'],
    [{ passphrase: new Secret('') }, 'config.invalid'],
    [{ recipients: ['someone'] }, 'key.invalid'],
    [
      { recipients: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN'] },
      'key.invalid',
    ],
  ]
  for (const [settings, code] of invalid)
    it(`refuses ${JSON.stringify(settings).slice(0, 60)}`, () => {
      expect(() => age.create(settings, ring([]))).toThrow(expect.objectContaining({ code }))
    })

  it('FAILURES 71: a private key among the recipients is refused and not shown', () => {
    expect(() => age.create({ recipients: [recipient, identity] }, ring([]))).toThrow(
      expect.objectContaining({ code: 'key.invalid', message: 'age recipient 2 is a private key' }),
    )
  })

  it('a recipient with a wrong letter is refused before the first byte is written', async () => {
    const wrong = `${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}`
    const encoding = new StageBench(age.create({ recipients: [wrong] }, ring([]))).encode(rowData(10))
    await expect(encoding).rejects.toMatchObject({ code: 'key.invalid' })
  })

  it('a stage that is only to decode does not encode', () => {
    expect(() => age.create(undefined, ring([])).encode(context())).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    )
  })
})

describe('keys', () => {
  it('encoding asks for none', async () => {
    const none = () => Promise.reject(new Error('asked for a key'))
    const writer = new StageBench(
      age.create({ recipients: [recipient] }, { identities: none, passphrase: none }),
    )
    const { bytes } = await writer.encode(rowData(1000))
    expect(await decodeWith(ring([identity]), bytes)).toEqual(rowData(1000))
  })

  it('FAILURES 17: a wrong one has an error of its own', async () => {
    const { bytes } = await bench.encode(rowData(1000))
    await expect(decodeWith(ring([other]), bytes)).rejects.toMatchObject({ code: 'integrity.wrong-key' })
    await expect(decodeWith(ring([]), bytes)).rejects.toMatchObject({ code: 'key.missing' })
    const openpgpOnly = ring(['-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n-----END PGP PRIVATE KEY BLOCK-----'])
    await expect(decodeWith(openpgpOnly, bytes)).rejects.toMatchObject({ code: 'key.missing' })
  })

  it('FAILURES 71: a malformed one is named by its place, not shown', async () => {
    const { bytes } = await bench.encode(rowData(1000))
    const broken = `${identity.slice(0, -1)}!`
    for (const [text, message] of [
      [`# mine\n\n${broken}`, 'line 3 of key.txt is not an age identity'],
      ['hunter2', 'line 1 of key.txt is not an age identity'],
      ['# nothing\n', 'key.txt holds no age identity'],
    ] as const)
      await expect(decodeWith(ring([text]), bytes)).rejects.toMatchObject({ code: 'key.invalid', message })
  })

  it('several identity files of several lines are tried in turn', async () => {
    const { bytes } = await bench.encode(rowData(1000))
    const keys = ring([`# a\r\n${other}\r\n`, `\n${other}\n # b\n${identity}`])
    expect(await decodeWith(keys, bytes)).toEqual(rowData(1000))
  })

  it('FAILURES 17: a passphrase: right, wrong, missing', async () => {
    const sealed = age.create({ passphrase: new Secret('correct horse') }, ring([], 'correct horse'))
    const { bytes, facts } = await new StageBench(sealed).encode(rowData(1000))
    expect(await new StageBench(sealed).decode(bytes, facts)).toEqual(rowData(1000))
    await expect(decodeWith(ring([], 'wrong horse'), bytes)).rejects.toMatchObject({
      code: 'integrity.wrong-key',
    })
    await expect(decodeWith(ring([identity]), bytes)).rejects.toMatchObject({ code: 'key.missing' })
  })

  it('FAILURES 20: a passphrase header that asks for very much memory is refused', async () => {
    const header = 'age-encryption.org/v1\n-> scrypt KhNKNgfWqvM7QMH2eJ3iWQ 30\n'
    const rest =
      'kZ0UHjNHUiwTpRIXqTCMFQBhPkGC0bXoRzMxnp/5Jso\n--- 5I4xvSv4HxqzKPC0eMGSwjmvS2pVpxPM2UTWlcsqFxA\n'
    await expect(decodeWith(ring([], 'any'), Buffer.from(header + rest))).rejects.toMatchObject({
      code: 'integrity.format',
      message: expect.stringContaining('work factor is 30') as string,
    })
  })

  it('FAILURES 20: a header without an end is refused', async () => {
    const endless = function* () {
      yield Buffer.from('age-encryption.org/v1\n')
      for (;;) yield Buffer.alloc(65_536, '-> X25519 abc\n')
    }
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
    const decoding = connect([Readable.from(endless()), stage.decode(context(), {}), sink], context().signal)
    await expect(decoding).rejects.toMatchObject({ code: 'integrity.format' })
  })
})

describe('damage', () => {
  const data = randomData(5 * 64 * 1024 + 1000)

  it('FAILURES 16: data cut anywhere are truncated, also between chunks, with facts or without', async () => {
    const { bytes, facts } = await bench.encode(data)
    const payload = bytes.length - (5 * sealedBytes + 1016)
    const cuts = [
      0,
      1,
      21,
      22,
      30,
      100,
      payload - 17,
      payload - 16,
      payload - 1,
      payload,
      payload + 1,
      bytes.length - 1,
    ]
    for (let chunk = 1; chunk <= 5; chunk++)
      for (const near of [-17, -16, -1, 0, 1, 15, 16, 17]) cuts.push(payload + chunk * sealedBytes + near)
    for (const cut of cuts)
      for (const known of [facts, {}])
        await expect(bench.decode(bytes.subarray(0, cut), known), `cut at ${cut}`).rejects.toMatchObject({
          code: 'integrity.truncated',
        })
  })

  it('FAILURES 16: data of whole chunks, cut between chunks', async () => {
    const { bytes, facts } = await bench.encode(randomData(3 * 64 * 1024))
    for (const known of [facts, {}])
      await expect(bench.decode(bytes.subarray(0, -sealedBytes), known)).rejects.toMatchObject({
        code: 'integrity.truncated',
      })
  })

  it('FAILURES 16: a changed bit in any chunk is a checksum error, and nothing after it is given out', async () => {
    const { bytes, facts } = await bench.encode(data)
    const payload = bytes.length - (5 * sealedBytes + 1016)
    for (const at of [0, 100, sealedBytes - 1, 3 * sealedBytes + 7, bytes.length - payload - 1]) {
      const changed = Buffer.from(bytes)
      changed[payload + at] = (changed[payload + at] as number) ^ 0x80
      const given: Buffer[] = []
      const sink = new Writable({
        write(chunk: Buffer, _encoding, done) {
          given.push(chunk)
          done()
        },
      })
      const source = Readable.from(oddlyChunked(changed, at), { objectMode: false })
      const decoding = connect([source, stage.decode(context(), facts), sink], context().signal)
      await expect(decoding).rejects.toMatchObject({ code: 'integrity.checksum' })
      const plain = Buffer.concat(given)
      expect(plain.length).toBeLessThanOrEqual(Math.floor(at / sealedBytes) * 64 * 1024)
      expect(plain.equals(data.subarray(0, plain.length))).toBe(true)
    }
  })

  it('FAILURES 16: chunks that change places, come twice or are left out are errors', async () => {
    const { bytes } = await bench.encode(data)
    const payload = bytes.length - (5 * sealedBytes + 1016)
    const head = bytes.subarray(0, payload)
    const chunks = [...chunked(bytes.subarray(payload), sealedBytes)]
    const pick = (...order: readonly number[]) =>
      Buffer.concat([head, ...order.map((index) => chunks[index] as Buffer)])
    expect((await bench.decode(pick(0, 1, 2, 3, 4, 5), {})).equals(data)).toBe(true)
    for (const order of [
      [1, 0, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 4, 5],
      [0, 1, 3, 4, 5],
      [0, 1, 2, 3, 4, 5, 5],
    ])
      await bench.refuses(pick(...order), {}, `chunks ${order.join()}`)
  })

  it('FAILURES 16: a changed header is an error', async () => {
    const { bytes } = await bench.encode(rowData(10))
    const end = bytes.indexOf('\n--- ') + 48
    for (let at = 0; at < end; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ 1
      await bench.refuses(changed, {}, `a header changed at ${at}`)
    }
  })

  it('FAILURES 16: damaged armor is an error', async () => {
    const { bytes } = await bench.encode(rowData(1000))
    const lines = bytes.toString('base64').match(/.{1,64}/gu) ?? []
    const begin = '-----BEGIN AGE ENCRYPTED FILE-----'
    const end = '-----END AGE ENCRYPTED FILE-----'
    const armored = (parts: readonly string[], lineEnd = '\n') => Buffer.from(parts.join(lineEnd))
    for (const whole of [
      armored([begin, ...lines, end, '']),
      armored([begin, ...lines, end]),
      armored(['', begin, ...lines, end, '', ''], '\r\n'),
    ])
      expect(await bench.decode(whole, {})).toEqual(rowData(1000))
    const [first = '', second = '', ...others] = lines
    for (const broken of [
      [begin, `${first}A`, second, ...others, end],
      [begin, first.slice(4), second, ...others, end],
      [begin, first, '', second, ...others, end],
      [begin, `${first.slice(0, -1)}*`, second, ...others, end],
      [begin, ...lines, end, 'more'],
      [begin, ...lines, begin, end],
      [begin, ...lines.slice(0, -1), `${lines.at(-1)}====`, end],
    ])
      await expect(bench.decode(armored(broken), {}), broken.join('|')).rejects.toMatchObject({
        code: 'integrity.format',
      })
    const whole = armored([begin, ...lines, end])
    for (let cut = 0; cut < whole.length; cut += 7)
      await expect(bench.decode(whole.subarray(0, cut), {}), `cut at ${cut}`).rejects.toMatchObject({
        code: cut < 35 && cut > 0 ? 'integrity.format' : 'integrity.truncated',
      })
  })
})
