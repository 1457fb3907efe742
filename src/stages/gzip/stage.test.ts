import { describe, expect, it } from 'vitest'
import { stageContract } from '../../testing/stage-contract.js'
import { gzip } from './stage.js'

const keys = { identities: () => Promise.resolve([]), passphrase: () => Promise.resolve(undefined) }

describe('the contract of stages', () => {
  const fixture = {
    kind: gzip,
    stage: () => gzip.create({}, keys),
    foreign: [
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
      Buffer.from('age-encryption.org/v1\n'),
      Buffer.from([0x1f, 0x8b]),
    ],
  }
  for (const check of stageContract(fixture)) it(check.name, () => check.run())
})

it('refuses a level that is not one', () => {
  for (const level of [0, 10, 2.5, NaN])
    expect(() => gzip.create({ level }, keys)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
})
