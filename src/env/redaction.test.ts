import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactAll, secretsIn, withoutCredentials } from './redaction.js'
import { Secret } from './secret.js'

describe('FAILURES 71: credentials are seen by their form', () => {
  it.each([
    ['postgres://me:hunter22@db:5432/shop is refused', 'postgres://***@db:5432/shop is refused'],
    ['smtps://hunter22@mail', 'smtps://***@mail'],
    ['mysql://me:hun/ter#22@h/x', 'mysql://***@h/x'],
    ['mongodb://u:hunter22@a:1,b:2/x', 'mongodb://***@a:1,b:2/x'],
    ['"https://h/x?a=1&api_key=hunter22&b=2"', '"https://h/x?a=1&api_key=***&b=2"'],
    ['https://h/b?X-Amz-Signature=hunter22', 'https://h/b?X-Amz-Signature=***'],
    ['https://h/b?sv=1&sig=hunter22', 'https://h/b?sv=1&sig=***'],
    ["connection 'host=h password=hunter22 user=me'", "connection 'host=h password=*** user=me'"],
    ['no identity AGE-SECRET-KEY-1QQPQHUNTER22 fits', 'no identity *** fits'],
    ['a -----BEGIN RSA PRIVATE KEY-----\nhunter22\n-----END RSA PRIVATE KEY----- b', 'a *** b'],
    ['a -----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter22 cut', 'a ***'],
  ])('%s', (text, shown) => {
    expect(withoutCredentials(text)).toBe(shown)
  })

  it('and what is none stays as it is', () => {
    const text =
      'shop@web1: https://db.example.com:5432/keys?design=1 said "permission denied for table tokens" to me@example.com'
    expect(withoutCredentials(text)).toBe(text)
  })
})

// Three characters and more: a shorter secret would blank out ordinary words. Stars are what takes a secret's place.
const value = fc.string({ minLength: 3, maxLength: 40 }).filter((text) => !text.includes('*'))

describe('FAILURES 71: a known secret is in no text that leaves', () => {
  it('wherever and however often it stands, also percent-encoded', () => {
    fc.assert(
      fc.property(value, fc.string(), fc.string(), (secret, before, after) => {
        const text = `${before}${secret}${after} ${encodeURIComponent(secret)}`
        const shown = redactAll(text, [new Secret(secret)])
        expect(shown).not.toContain(secret)
        expect(shown).not.toContain(encodeURIComponent(secret))
      }),
    )
  })

  it('nor are several, of which one may be part of another', () => {
    fc.assert(
      fc.property(value, value, (part, rest) => {
        const shown = redactAll(`said ${part + rest} and ${part}`, [
          new Secret(part),
          new Secret(part + rest),
        ])
        expect(shown).toBe(redactAll(`said *** and ***`, [new Secret(part), new Secret(part + rest)]))
      }),
    )
  })

  it('which a password in a URL always is', () => {
    fc.assert(
      fc.property(fc.constantFrom('postgres', 'smtp', 'https'), value, (scheme, password) => {
        const url = `${scheme}://me:${encodeURIComponent(password)}@host/x`
        expect(withoutCredentials(`cannot reach ${url}`)).toBe(`cannot reach ${scheme}://***@host/x`)
        expect(secretsIn(url).map((secret) => secret.reveal())).toContain(password)
      }),
    )
  })
})

it('secrets are found in settings, by type, name and form', () => {
  const settings = {
    connection: { password: new Secret('one'), host: 'h' },
    storages: [{ secretAccessKey: 'two', bucket: 'b' }],
    tools: { env: { PGPASSWORD: 'three' } },
    url: new Secret('https://me:fo%2Fur@hooks.example.com/T0/a-token-of-length?b=c'),
    place: 'ftp://me:five@host/x',
    driver: new (class {
      password = 'not looked into'
    })(),
  }
  expect(secretsIn(settings).map((secret) => secret.reveal())).toEqual([
    'one',
    'two',
    'three',
    'https://me:fo%2Fur@hooks.example.com/T0/a-token-of-length?b=c',
    'fo%2Fur',
    'fo/ur',
    'a-token-of-length',
    'five',
  ])
})
