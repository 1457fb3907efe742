import { generateKey } from 'openpgp'
import { Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../env/secret.js'
import { connect } from '../../streams/connect.js'
import { context, randomData, rowData, StageBench } from '../../testing/stage-bench.js'
import { stageContract } from '../../testing/stage-contract.js'
import { openpgp } from './stage.js'

const pair = await generateKey({ userIDs: [{ email: 'backup@example.org' }] })
const keys = {
  identities: () => Promise.resolve([{ source: 'key.asc', text: new Secret(pair.privateKey) }]),
  passphrase: () => Promise.resolve(undefined),
}
const none = { identities: () => Promise.resolve([]), passphrase: () => Promise.resolve(undefined) }
const stage = openpgp.create({ recipients: [pair.publicKey] }, keys)

describe('the contract of stages', () => {
  const fixture = {
    kind: openpgp,
    stage: () => openpgp.create({ recipients: [pair.publicKey] }, keys),
    foreign: [
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
      Buffer.from([0x1f, 0x8b, 8]),
      Buffer.from('age-encryption.org/v1\n'),
    ],
  }
  for (const check of stageContract(fixture)) it(check.name, () => check.run())
})

describe('settings', () => {
  it('refuses none, empty ones and private keys, without showing them', () => {
    expect(() => openpgp.create({ recipients: [] }, keys)).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    )
    expect(() => openpgp.create({ recipients: [' '] }, keys)).toThrow(
      expect.objectContaining({ code: 'key.invalid' }),
    )
    expect(() => openpgp.create({ recipients: [pair.publicKey, pair.privateKey] }, keys)).toThrow(
      expect.objectContaining({ code: 'key.invalid', message: 'openpgp recipient 2 is a private key' }),
    )
    expect(() => openpgp.create(undefined, keys).encode(context())).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    )
  })
})

it('FAILURES 16: data cut anywhere are truncated', async () => {
  const bench = new StageBench(stage)
  const { bytes, facts } = await bench.encode(randomData(2_500_000))
  const cuts = [
    ...Array.from({ length: 120 }, (_, at) => at),
    1_048_576,
    2_000_000,
    bytes.length - 22,
    bytes.length - 1,
  ]
  for (const cut of cuts)
    await expect(bench.decode(bytes.subarray(0, cut), facts), `cut at ${cut}`).rejects.toMatchObject({
      code: 'integrity.truncated',
    })
})

it('FAILURES 16: a changed bit in the data is a checksum error', async () => {
  const bench = new StageBench(stage)
  const { bytes } = await bench.encode(randomData(300_000))
  for (const at of [200, 100_000, bytes.length - 5]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ 1
    await expect(bench.decode(changed, {})).rejects.toMatchObject({ code: 'integrity.checksum' })
  }
})

it('FAILURES 9: 200 MB go through in bounded memory, there and back', async () => {
  const part = randomData(1024 * 1024)
  const source = Readable.from(
    (function* () {
      for (let count = 0; count < 200; count++) yield Buffer.from(part)
    })(),
    { objectMode: false },
  )
  const before = process.memoryUsage.rss()
  let most = 0
  let taken = 0
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      taken += chunk.length
      most = Math.max(most, process.memoryUsage.rss() - before)
      done()
    },
  })
  const cx = context()
  await connect([source, stage.encode(cx).through, stage.decode(cx, {}), sink], cx.signal)
  expect(taken).toBe(200 * part.length)
  expect(most).toBeLessThan(120e6)
})

it('without the gpg program, keys of a keyring are not to be had', async () => {
  const { bytes } = await new StageBench(stage).encode(rowData(10))
  const path = process.env['PATH']
  process.env['PATH'] = ''
  try {
    const keyring = new StageBench(openpgp.create({ recipients: ['backup@example.org'] }, none))
    await expect(keyring.encode(rowData(10))).rejects.toMatchObject({ code: 'tool.missing' })
    await expect(keyring.decode(bytes, {})).rejects.toMatchObject({ code: 'tool.missing' })
    expect(await new StageBench(stage).decode(bytes, {})).toEqual(rowData(10))
  } finally {
    process.env['PATH'] = path
  }
})
