import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../env/secret.js'
import { stageContract } from '../../testing/stage-contract.js'
import { age } from './stage.js'

const identity = await generateX25519Identity()
const recipient = await identityToRecipient(identity)
const keys = {
  identities: () => Promise.resolve([{ source: 'key.txt', text: new Secret(`# a comment\n${identity}\n`) }]),
  passphrase: () => Promise.resolve(undefined),
}

describe('the contract of stages', () => {
  const fixture = {
    kind: age,
    stage: () => age.create({ recipients: [recipient] }, keys),
    foreign: [
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
      Buffer.from([0x1f, 0x8b, 8]),
      Buffer.from('age-encryption.org/v2'),
    ],
  }
  for (const check of stageContract(fixture)) it(check.name, () => check.run())
})

it.each([
  ['age1…', 'age recipient 1 is not a whole public key'],
  ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p', "is the sample of age's documentation"],
])('refuses what was copied from documentation: %s', (copied, message) => {
  expect(() => age.create({ recipients: [copied] }, keys)).toThrow(message)
})
