import fc from 'fast-check'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { HoldfastError } from '../../errors.js'
import { connectionString, placeOf } from './connection.js'
import { parseUrl } from './url.js'

const parse = (url: string) => parseUrl(url, '/base')

it('reads host, port, user, password, database and parameters', () => {
  const settings = parse('mongodb://me%40home:p%3Aw@db.example.com:27018/shop?authSource=users&tls=true')
  expect(settings).toMatchObject({
    ...{ engine: 'mongodb', name: 'shop', host: 'db.example.com', port: 27018, user: 'me@home' },
    parameters: { authSource: 'users', tls: 'true' },
  })
  expect(settings.password?.reveal()).toBe('p:w')
  expect(connectionString(settings)).toBe(
    'mongodb://me%40home@db.example.com:27018/?authSource=users&tls=true&directConnection=true',
  )
  expect(placeOf(settings)).toBe('mongodb://me@home@db.example.com:27018/shop')
})

it('looks for the account in admin unless told otherwise', () => {
  expect(connectionString(parse('mongodb://me:pw@h/shop'))).toContain('authSource=admin')
  expect(connectionString(parse('mongodb://h/shop?authSource=users'))).not.toContain('authSource')
})

it('reads several hosts, a DNS seed list, a socket and IPv6', () => {
  const many = parse('mongodb://a:1,b:2/shop?replicaSet=rs')
  expect(connectionString(many)).toBe('mongodb://a:1,b:2/?replicaSet=rs')
  expect(placeOf(many)).toBe('mongodb://a:1,b:2/shop')
  const srv = parse('mongodb+srv://me:pw@cluster.example.com/shop?retryWrites=true')
  expect(connectionString(srv)).toBe(
    'mongodb+srv://me@cluster.example.com/?retryWrites=true&authSource=admin',
  )
  expect(() => parse('mongodb+srv://cluster.example.com:27017/shop')).toThrow('has no port')
  expect(parse('mongodb://%2Ftmp%2Fmongodb-27017.sock/shop').socket).toBe('/tmp/mongodb-27017.sock')
  expect(connectionString(parse('mongodb://[::1]:5/shop'))).toContain('mongodb://[::1]:5/')
})

it('one host means that host, not the members of its replica set', () => {
  expect(connectionString(parse('mongodb://h/shop'))).toContain('directConnection=true')
  expect(connectionString(parse('mongodb://h/shop?replicaSet=rs'))).not.toContain('directConnection')
  expect(connectionString(parse('mongodb://h/shop?directConnection=false'))).toContain(
    'directConnection=false',
  )
})

it('takes files relative to the configuration', () => {
  expect(parse('mongodb://h/shop?tlsCAFile=ca.pem').parameters['tlsCAFile']).toBe(resolve('/base', 'ca.pem'))
})

it('refuses what cannot be meant', () => {
  for (const url of [
    'mongodb://h',
    'mongodb://h/',
    'mongodb://h/a.b',
    'mongodb://h/a%2Fb',
    'mongodb://h/a%00',
    'mongodb://h/%ZZ',
  ])
    expect(() => parse(url), url).toThrow(HoldfastError)
  expect(() => connectionString(parse('mongodb://h/s?tlsCertificateKeyFilePassword=secret'))).toThrow(
    'in the clear',
  )
})

it('FAILURES 71: no error shows a password, however it is written', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6 }), (password) => {
      const secret = `hunter22${password}`
      try {
        expect(JSON.stringify(parse(`mongodb://me:${secret}@h/shop`))).not.toContain('hunter22')
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError)
        expect(String((error as Error).stack) + JSON.stringify(error)).not.toContain('hunter22')
      }
    }),
  )
})
