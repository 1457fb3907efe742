import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../errors.js'
import { postgresql } from './engine.js'

const parse = (url: string) => {
  const { password, ...rest } = postgresql.parse(url, '/project')
  return { ...rest, ...(password === undefined ? {} : { password: password.reveal() }) }
}

describe('the URL of a PostgreSQL database', () => {
  it.each([
    [
      'postgres://me:pw@db.example:5433/shop',
      { host: 'db.example', port: 5433, user: 'me', password: 'pw', name: 'shop' },
    ],
    ['postgresql://db.example/shop', { host: 'db.example', name: 'shop' }],
    ['pg://db.example/shop', { host: 'db.example', name: 'shop' }],
    ['postgis://me@db.example/maps', { host: 'db.example', user: 'me', name: 'maps' }],
    ['postgres:///shop', { name: 'shop' }],
    ['postgres://me@/shop', { user: 'me', name: 'shop' }],
    ['postgres://:5433/shop', { port: 5433, name: 'shop' }],
    ['postgres://me:pw@:5433/shop', { port: 5433, user: 'me', password: 'pw', name: 'shop' }],
    ['postgres://me@db.example', { host: 'db.example', user: 'me', name: 'me' }],
    ['postgres://[::1]:5433/shop', { host: '::1', port: 5433, name: 'shop' }],
    [
      'postgres://m%40e:p%3A%2F%23+w@h/a%20b%2Fc%25',
      { host: 'h', user: 'm@e', password: 'p:/#+w', name: 'a b/c%' },
    ],
    ['postgres://me:p@ss@h/shop', { host: 'h', user: 'me', password: 'p@ss', name: 'shop' }],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/shop', { socket: '/var/run/postgresql', name: 'shop' }],
    [
      'postgres:///shop?host=/tmp&port=5433&user=me',
      { socket: '/tmp', port: 5433, user: 'me', name: 'shop' },
    ],
    ['postgres://h/?dbname=a%3Db', { host: 'h', name: 'a=b' }],
    ['postgres://h/-dash', { host: 'h', name: '-dash' }],
  ])('%s', (url, expected) => {
    expect(parse(url)).toEqual({ engine: 'postgresql', parameters: {}, ...expected })
  })

  it.each([
    ['?schema=app&connection_limit=5', { schema: 'app', connection_limit: '5' }],
    [
      '?sslmode=verify-full&sslrootcert=certs/ca.pem',
      { sslmode: 'verify-full', sslrootcert: '/project/certs/ca.pem' },
    ],
    ['?sslmode=verify-full&sslrootcert=system', { sslmode: 'verify-full', sslrootcert: 'system' }],
    ['?ssl=true', { sslmode: 'require' }],
    ['?sslmode=no-verify', { sslmode: 'require' }],
    ['?options=-c%20search_path%3Da+b', { options: '-c search_path=a+b' }],
  ])('keeps the parameters %s', (query, parameters) => {
    expect(parse(`postgres://h/shop${query}`)).toMatchObject({ parameters })
  })

  it.each([
    ['postgres://h/shop?sslmode=verifyfull', /sslmode is none of/u],
    ['postgres://h/shop?sslmod=require', /sslmod is not a parameter/u],
    ['postgres://h/shop?sslpassword=secret1', /sslpassword is not supported/u],
    ['postgres://h1,h2/shop', /several hosts/u],
    ['postgres://h:0/shop', /port/u],
    ['postgres://h/', /names no database/u],
    ['postgres://h/a%00b', /zero byte/u],
    ['postgres://h/a%zzb', /percent-encoded/u],
  ])('refuses %s', (url, message) => {
    expect(() => parse(url)).toThrowError(
      expect.objectContaining({ code: 'config.invalid', message: expect.stringMatching(message) as string }),
    )
  })

  it('FAILURES 71: an unencoded password is never in the error', () => {
    for (const password of [
      'hun/ter22',
      'hun#ter22',
      'hun?ter22',
      '12/hunter22',
      'hun%zzter22',
      'hun ter22[',
      '12#hunter22',
    ]) {
      let thrown: unknown
      try {
        const { name, host } = postgresql.parse(`postgres://me:${password}@h/shop`, '/')
        // Taken as it is written, or not at all.
        expect({ name, host }).toEqual({ name: 'shop', host: 'h' })
      } catch (error) {
        thrown = error
      }
      if (thrown === undefined) continue
      expect(thrown).toBeInstanceOf(HoldfastError)
      expect(inspect(thrown, { depth: 10, showHidden: true })).not.toContain('ter22')
    }
  })

  it('takes any user, password and database, percent-encoded', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((value) => !value.includes('\0'))
    fc.assert(
      fc.property(text, text, text, (user, password, name) => {
        // WHATWG URLs know `.` and `..` as steps of a path, also percent-encoded.
        fc.pre(!/^\.{1,2}$/u.test(name))
        const [u, p, n] = [user, password, name].map(encodeURIComponent)
        expect(parse(`postgres://${u}:${p}@host/${n}`)).toMatchObject({ user, password, name })
      }),
    )
  })
})
