import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../env/json.js'
import { canonicalJson } from './canonical.js'
import { privateKeyOf, publicKeyOf } from './keys.js'
import { noSigning, signedBytes, Signing } from './signing.js'

const pem = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const keyOf = (text: string) => privateKeyOf(text, undefined, 'key')

describe('the canonical text', () => {
  it('is that of the example of RFC 8785', () => {
    const value = {
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    }
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('is in the order of UTF-16 code units', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
    expect([...canonicalJson(value).matchAll(/:(\d)/gu)].map(([, digit]) => digit).join('')).toBe('2467153')
  })

  it('says the same as the value, whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as JsonObject)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(JSON.parse(text) as JsonObject)).toBe(text)
      }),
    )
  })
})

describe('a signed document', () => {
  const signing = new Signing(keyOf(pem()))
  const document = { id: 'a', list: [1, 2], note: 'größer' }

  it('is valid however it is written down', () => {
    const signed = signing.sign(document)
    const { signature, ...rest } = signed ?? { signature: undefined }
    expect(signing.check(JSON.parse(JSON.stringify(signed)))).toBe('valid')
    expect(signing.check({ signature, ...Object.fromEntries(Object.entries(rest).reverse()) })).toBe('valid')
    expect(signedBytes(signed as unknown as JsonObject).toString()).toBe(
      '{"id":"a","list":[1,2],"note":"größer"}',
    )
  })

  it('is not after any change of a field', () => {
    const signed = signing.sign(document)
    for (const change of [{ id: 'b' }, { list: [2, 1] }, { more: null }, { note: undefined }]) {
      expect(signing.check(JSON.parse(JSON.stringify({ ...signed, ...change })))).toBe('invalid')
    }
    for (const signature of [
      'x',
      { ...signed?.signature, value: '' },
      { ...signed?.signature, algorithm: 'none' },
    ]) {
      expect(signing.check({ ...signed, signature })).toBe('invalid')
    }
  })

  it('says when it has no signature, one of another key, or nobody can check it', () => {
    const signed = signing.sign(document)
    expect(signing.check(document)).toBe('none')
    expect(new Signing(keyOf(pem())).check(signed)).toBe('foreign')
    expect(noSigning.check(signed)).toBe('unchecked')
    expect(noSigning.sign(document)).toBeUndefined()
  })

  it('is checked by every key that is known', () => {
    const old = generateKeyPairSync('ed25519')
    const oldPem = old.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const signed = new Signing(keyOf(oldPem)).sign(document)
    const publicKey = publicKeyOf(old.publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'key')
    expect(new Signing(keyOf(pem()), [publicKey]).check(signed)).toBe('valid')
    expect(new Signing(undefined, [publicKey]).check(signed)).toBe('valid')
  })
})

describe('a key', () => {
  const code = (error: string) => expect.objectContaining({ code: error }) as Error

  it('may be encrypted', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush-hush' } as const
    const encrypted = privateKey.export(options).toString()
    const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(privateKeyOf(encrypted, 'hush-hush', 'key').id).toBe(keyOf(plain).id)
    expect(() => privateKeyOf(encrypted, 'wrong', 'sign.key')).toThrow(code('key.invalid'))
    expect(() => keyOf(encrypted)).toThrow(code('key.invalid'))
  })

  it('of another kind, or none, is refused without being shown', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    })
    expect(() => keyOf(rsa.toString())).toThrow('is a key of rsa, not of Ed25519')
    const damaged = pem().replace('MC4', 'MMM')
    expect(() => keyOf(damaged)).toThrow(code('key.invalid'))
    expect(() => keyOf(damaged)).not.toThrow(damaged.split('\n')[1])
  })
})
