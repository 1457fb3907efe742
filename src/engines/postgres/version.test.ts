import { expect, it } from 'vitest'
import { hasRestrict, knownBadClient, parseVersion } from './version.js'

it.each([
  ['pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', 15, 18, '15.18'],
  ['15.18 (Debian 15.18-0+deb12u1)', 15, 18, '15.18'],
  ['psql (PostgreSQL) 9.6.24', 9.6, 24, '9.6.24'],
  ['pg_dump (PostgreSQL) 18beta1', 18, 0, '18beta1'],
  ['pg_dump (PostgreSQL) 19devel', 19, 0, '19devel'],
  ['17.0', 17, 0, '17.0'],
  ['usage: wrapper', 0, 0, 'unknown'],
])('reads %s', (said, major, minor, text) => {
  expect(parseVersion(said)).toEqual({ major, minor, text })
})

it.each([
  ['15.13', false],
  ['15.14', true],
  ['16.10', true],
  ['17.5', false],
  ['17.6', true],
  ['18.0', true],
  ['12.22', false],
])('FAILURES 75: psql %s has \\restrict: %s', (version, has) => {
  expect(hasRestrict(parseVersion(version))).toBe(has)
  expect(knownBadClient(version) === undefined).toBe(has)
})

it('FAILURES 75: names the CVEs and the version that has the fix', () => {
  expect(knownBadClient('15.3 (Debian 15.3-0)')).toBe(
    'client 15.3 has CVE-2025-8714 and CVE-2025-8715: update to 15.14',
  )
  expect(knownBadClient('9.6.24')).toMatch(/use version 13\.22 or later$/u)
  expect(knownBadClient('nobody knows')).toBeUndefined()
})
