import { describe, expect, it } from 'vitest'
import { drillKey, drillOfKey, isDrillKey } from './drill-reports.js'
import { manifestKey } from './keys.js'
import { objectKey } from '../storages/object-key.js'

const drill = {
  id: '20261120T130102345Z-k3f9q2',
  time: new Date('2026-11-21T02:00:00.007Z'),
  result: 'passed',
} as const

describe('the key of a drill report', () => {
  it.each(['shop', 'my/shop', 'ü .drill-x'])('says what there is to list: %s', (alias) => {
    const key = drillKey(alias, drill, 'json')
    expect(key).toMatch(/\/20261120T130102345Z-k3f9q2\.drill-20261121T020000007Z-passed\.json$/u)
    expect(drillOfKey(key)).toEqual({ ...drill, key })
  })

  it('the page for people is a report, and is not listed', () => {
    const key = drillKey('shop', drill, 'md')
    expect([isDrillKey(key), drillOfKey(key)]).toEqual([true, undefined])
  })

  it.each([
    manifestKey('shop', drill.id),
    'shop/shop-2026-11-20.dump.zst',
    `shop/${drill.id}.drill-20261121T020000007Z-passed.json/00001`,
    `shop/${drill.id}.drill-20261121-passed.json`,
    `shop/x.drill-20261121T020000007Z-failed.json`,
  ])('%s is none', (key) => {
    expect(isDrillKey(objectKey(key))).toBe(false)
  })
})
