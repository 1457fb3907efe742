import { describe, expect, it } from 'vitest'
import { parseGrants } from './grants.js'

const of = (database: string, ...lines: string[]) => parseGrants(lines, database)

describe('grants', () => {
  it('are read from MariaDB and MySQL', () => {
    const grants = of(
      'shop',
      "GRANT USAGE ON *.* TO `me`@`%` IDENTIFIED BY PASSWORD '*AB, SELECT ON *.* TO'",
      'GRANT SELECT, SHOW VIEW, LOCK TABLES ON `shop`.* TO `me`@`%`',
      'GRANT EVENT ON `other`.* TO `me`@`%`',
      'GRANT TRIGGER ON `shop`.`orders` TO `me`@`%`',
      'GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `me`@`%`',
      'GRANT `reader`@`%` TO `me`@`%`',
    )
    expect(['SELECT', 'SHOW VIEW', 'LOCK TABLES'].every((each) => grants.onDatabase(each))).toBe(true)
    expect(['EVENT', 'TRIGGER', 'EXECUTE'].some((each) => grants.onDatabase(each))).toBe(false)
    expect(grants.onServer('SELECT')).toBe(false)
  })

  it('of the whole server hold for the database', () => {
    const grants = of('shop', 'GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION')
    expect(grants.onDatabase('EVENT') && grants.onServer('SELECT')).toBe(true)
  })

  it('may be taken back for one database', () => {
    const lines = ['GRANT SELECT, EVENT ON *.* TO `me`@`%`', 'REVOKE SELECT ON `secret`.* FROM `me`@`%`']
    expect(of('secret', ...lines).onDatabase('SELECT')).toBe(false)
    expect(of('secret', ...lines).onDatabase('EVENT')).toBe(true)
    expect(of('shop', ...lines).onDatabase('SELECT')).toBe(true)
  })

  it('name databases by patterns', () => {
    expect(of('shop_1', 'GRANT SELECT ON `shop\\_%`.* TO `me`@`%`').onDatabase('SELECT')).toBe(true)
    expect(of('shopx1', 'GRANT SELECT ON `shop\\_%`.* TO `me`@`%`').onDatabase('SELECT')).toBe(false)
    expect(of('shopx', 'GRANT SELECT ON `shop_`.* TO `me`@`%`').onDatabase('SELECT')).toBe(true)
    expect(of('a`b-c.*', 'GRANT SELECT ON `a``b-c.*`.* TO `me`@`%`').onDatabase('SELECT')).toBe(true)
    expect(of("o'b", "GRANT SELECT ON 'o''b'.* TO 'me'@'%'").onDatabase('SELECT')).toBe(true)
  })

  it('in words that nobody understands are left to the server', () => {
    expect(of('shop', 'Grants are managed elsewhere').onDatabase('SELECT')).toBe(true)
    expect(of('shop', 'GRANT USAGE ON *.* TO `me`@`%`').onDatabase('SELECT')).toBe(false)
  })
})
