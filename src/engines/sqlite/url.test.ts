import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../errors.js'
import { sqliteEngine } from './engine.js'
import { parseUrl } from './url.js'

const base = '/srv/shop'

describe('parse', () => {
  it.each([
    ['sqlite:./app.db', '/srv/shop/app.db'],
    ['sqlite:app.db', '/srv/shop/app.db'],
    ['sqlite:../other/app.db', '/srv/other/app.db'],
    ['sqlite:///var/lib/app.db', '/var/lib/app.db'],
    ['sqlite:////var/lib/app.db', '/var/lib/app.db'],
    ['sqlite:/var/lib/app.db', '/var/lib/app.db'],
    ['sqlite://app.db', '/srv/shop/app.db'],
    ['sqlite3:app.db', '/srv/shop/app.db'],
    ['better-sqlite3:./app.db', '/srv/shop/app.db'],
    ['libsql:./app.db', '/srv/shop/app.db'],
    ['libsql:///abs/app.db', '/abs/app.db'],
    ['file:./dev.db', '/srv/shop/dev.db'],
    ['file:dev.db', '/srv/shop/dev.db'],
    ['file:///var/dev.db', '/var/dev.db'],
    ['file://localhost/var/dev.db', '/var/dev.db'],
    ['SQLITE:./App.db', '/srv/shop/App.db'],
    ['sqlite:./a%20b%23c.db', '/srv/shop/a b#c.db'],
    ['sqlite:./a#b.db', '/srv/shop/a#b.db'],
    ['sqlite:./100%.db', '/srv/shop/100%.db'],
    ['sqlite:./Zoë %F0%9F%98%80.db', '/srv/shop/Zoë \u{1f600}.db'],
  ])('%s is %s', (url, name) => {
    expect(parseUrl(url, base)).toEqual({ engine: 'sqlite', name, parameters: {} })
  })

  it('keeps parameters', () => {
    expect(parseUrl('file:./dev.db?connection_limit=1&socket_timeout=3', base)).toEqual({
      engine: 'sqlite',
      name: '/srv/shop/dev.db',
      parameters: { connection_limit: '1', socket_timeout: '3' },
    })
  })

  it.each([
    ['sqlite::memory:', 'usage.not-supported'],
    ['sqlite://:memory:', 'usage.not-supported'],
    ['file::memory:?cache=shared', 'usage.not-supported'],
    ['file:shop?mode=memory', 'usage.not-supported'],
    ['libsql://shop.turso.io', 'usage.not-supported'],
    ['sqlite:', 'config.invalid'],
    ['sqlite://', 'config.invalid'],
    ['file://other-host/app.db', 'config.invalid'],
    ['postgres://localhost/app', 'config.invalid'],
    ['app.db', 'config.invalid'],
  ])('%s is %s', (url, code) => {
    expect(() => parseUrl(url, base)).toThrow(HoldfastError)
    expect(() => parseUrl(url, base)).toThrow(expect.objectContaining({ code }))
  })
})

it('every alias is a scheme', () => {
  expect(sqliteEngine.aliases).toEqual(['sqlite3', 'better-sqlite3', 'libsql', 'file'])
  for (const alias of sqliteEngine.aliases)
    expect(sqliteEngine.parse(`${alias}:./x.db`, base).name).toBe('/srv/shop/x.db')
})
