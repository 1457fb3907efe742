import { describe, expect, it } from 'vitest'
import { olderSeries, productOf, versionNumbers } from './identity.js'
import { listNames, quoteName } from './quoting.js'

describe('what a server says of itself', () => {
  it.each([
    ['10.11.6-MariaDB-0+deb12u1', 'Debian 12', 'MariaDB', [10, 11, 6]],
    ['5.5.5-10.6.18-MariaDB-log', '', 'MariaDB', [10, 6, 18]],
    ['11.8.2-ubu2404', 'mariadb.org binary distribution', 'MariaDB', [11, 8, 2]],
    ['8.0.36-28', 'Percona Server (GPL), Release 28', 'MySQL', [8, 0, 36]],
    ['5.7.44-log', 'MySQL Community Server (GPL)', 'MySQL', [5, 7, 44]],
    ['9.7.4-2', '(Debian)', 'MySQL', [9, 7, 4]],
  ])('%s is understood', (version, comment, product, numbers) => {
    expect(productOf(version, comment)).toBe(product)
    expect(versionNumbers(version)).toEqual(numbers)
  })

  it('compares series, not patches', () => {
    expect(olderSeries([10, 6, 99], [10, 11, 0])).toBe(true)
    expect(olderSeries([10, 11, 1], [10, 11, 19])).toBe(false)
    expect(olderSeries([11, 4, 0], [10, 11, 19])).toBe(false)
  })
})

describe('names', () => {
  it('FAILURES 74: cannot leave their quotes', () => {
    expect(quoteName('a`; DROP TABLE b; --')).toBe('`a``; DROP TABLE b; --`')
  })

  it('are listed up to a point', () => {
    expect(listNames(['a', 'b'])).toBe('a, b')
    expect(listNames(['a', 'b', 'c'], 2)).toBe('a, b and 1 more')
  })
})
