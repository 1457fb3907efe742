import { createRequire } from 'node:module'
import pg from 'pg'
import { expect, it } from 'vitest'
import { loadBy, loadDriver } from './driver.js'

it('the driver is told that it runs on Node, for the moment in which it asks', () => {
  const navigator = () => Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  const before = navigator()
  const require = createRequire(import.meta.url)
  let asked: unknown
  loadBy((id) => {
    asked = (globalThis as { navigator?: { userAgent: string } }).navigator?.userAgent
    return require(id)
  })
  expect(asked).toMatch(/^Node\.js\/\d/u)
  expect(navigator()).toEqual(before)
  expect(loadDriver().Client).toBe(pg.Client)
})
