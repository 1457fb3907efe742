import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HoldfastError } from '../../errors.js'
import { mariadb, mysql } from './engine.js'
import { tlsOf } from './tls.js'

const parse = (url: string) => mysql.parse(url, '/project')

describe('URLs', () => {
  it('gives all of an address', () => {
    const settings = parse('mysql://me:pa%2Fss%23%3F@db.example:3307/my%20shop?charset=utf8mb4')
    expect(settings).toMatchObject({
      engine: 'mysql',
      name: 'my shop',
      host: 'db.example',
      port: 3307,
      user: 'me',
    })
    expect(settings.password?.reveal()).toBe('pa/ss#?')
  })

  it('leaves out what is not there', () => {
    expect(mariadb.parse('mariadb://localhost/shop', '/')).toEqual({
      engine: 'mariadb',
      name: 'shop',
      host: 'localhost',
      parameters: {},
    })
  })

  it('takes the engine it is asked for, whatever the scheme', () => {
    expect(parse('mysql2://h/d').engine).toBe('mysql')
    expect(mysql.aliases).toContain('mysql2')
  })

  it('reads a socket, and IPv6', () => {
    expect(parse('mysql://me@localhost/shop?socket=/run/my+sql/s%20.sock')).toMatchObject({
      socket: '/run/my+sql/s .sock',
    })
    expect(parse('mysql://me@localhost/shop?socketPath=/s')).not.toHaveProperty('host')
    expect(parse('mysql://[::1]:3306/shop').host).toBe('::1')
  })

  it('brings back any user, password and database', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((each) => !each.includes('\0'))
    fc.assert(
      fc.property(text, text, text, (user, password, name) => {
        const [u, p, n] = [user, password, name].map(encodeURIComponent)
        // A URL's own rules for the path swallow these, encoded or not.
        fc.pre(!/^(?:\.|%2e){1,2}$/iu.test(n ?? ''))
        const settings = parse(`mysql://${u}:${p}@h/${n}`)
        expect([settings.user, settings.password?.reveal(), settings.name]).toEqual([user, password, name])
      }),
    )
  })

  it.each([
    ['no database', 'mysql://me:hunter22@host/'],
    ['an unencoded #', 'mysql://me:hunter22#x@host/shop'],
    ['an unencoded ?', 'mysql://me:22?hunter22@host/shop'],
    ['an unencoded /', 'mysql://me:hunter22/x@host/shop'],
    ['a lone %', 'mysql://me:hunter22%@host/shop'],
    ['a port that is none', 'mysql://me:hunter22@host:99999/shop'],
    ['no URL at all', 'hunter22'],
    ['another charset', 'mysql://me:hunter22@host/shop?charset=latin1'],
    ['an unknown TLS setting', 'mysql://me:hunter22@host/shop?ssl-mod=VERIFY_CA'],
    ['a wrong TLS mode', 'mysql://me:hunter22@host/shop?ssl-mode=YES'],
  ])('FAILURES 71: refuses %s without the password in the error', (_what, url) => {
    try {
      parse(url)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'config.invalid' })
      expect(inspect(error, { depth: 9, showHidden: true }) + (error as HoldfastError).hint).not.toContain(
        'hunter22',
      )
    }
  })
})

describe('TLS', () => {
  const of = (query: string) => tlsOf(parse(`mysql://h/d?${query}`))

  it('is used where the server has it', () => {
    expect(of('')).toEqual({ mode: 'PREFERRED' })
  })

  it('understands the spellings of programs, drivers and Prisma', () => {
    expect(of('ssl-mode=required').mode).toBe('REQUIRED')
    expect(of('sslMode=VERIFY_CA&ssl_ca=/ca.pem')).toEqual({ mode: 'VERIFY_CA', ca: '/ca.pem' })
    expect(of('sslaccept=strict').mode).toBe('VERIFY_IDENTITY')
    expect(of('ssl=true').mode).toBe('VERIFY_IDENTITY')
    expect(of('ssl=false').mode).toBe('DISABLED')
    expect(of('ssl={"rejectUnauthorized":true}').mode).toBe('VERIFY_IDENTITY')
    expect(of('ssl={"rejectUnauthorized":false}').mode).toBe('REQUIRED')
  })

  it('FAILURES 76: verifies where an authority is named', () => {
    expect(of('ssl-ca=certs/ca.pem')).toEqual({ mode: 'VERIFY_IDENTITY', ca: '/project/certs/ca.pem' })
  })

  it('reads settings that did not come from a URL', () => {
    const settings = { engine: 'mysql', name: 'd', parameters: { sslMode: 'disabled' } }
    expect(tlsOf(settings).mode).toBe('DISABLED')
    expect(tlsOf({ ...settings, parameters: {}, socket: '/s' }).mode).toBe('DISABLED')
  })
})
