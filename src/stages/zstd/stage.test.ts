import { describe, expect, it } from 'vitest'
import { stageContract } from '../../testing/stage-contract.js'
import { zstd } from './stage.js'

const keys = { identities: () => Promise.resolve([]), passphrase: () => Promise.resolve(undefined) }

describe('the contract of stages', () => {
  const fixture = {
    kind: zstd,
    stage: () => zstd.create({}, keys),
    foreign: [
      Buffer.from([0x1f, 0x8b, 8]),
      Buffer.from('age-encryption.org/v1\n'),
      Buffer.from([0x28, 0xb5, 0x2f]),
    ],
  }
  for (const check of stageContract(fixture)) it(check.name, () => check.run())
})

it('refuses a level that is not one', () => {
  for (const level of [0, 20, 2.5, NaN])
    expect(() => zstd.create({ level }, keys)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
})
