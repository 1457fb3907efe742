import { expect, it } from 'vitest'
import { leastPartBytes, mostPartBytes, mostParts, partPlan } from './part-plan.js'

const mebibyte = 1024 * 1024
/** S3's largest object (User Guide, "Uploading objects"). */
const largestObject = 5 * 1024 ** 4

it('an object of 5 TB fits into the parts that a service takes, each of a length that it takes', () => {
  const { bytesOf } = partPlan()
  const parts = Array.from({ length: mostParts }, (_, index) => bytesOf(index))
  expect(parts.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(largestObject)
  expect(Math.min(...parts)).toBeGreaterThanOrEqual(leastPartBytes)
  expect(Math.max(...parts)).toBeLessThanOrEqual(mostPartBytes)
})

it('parts grow with the object, and the fewer are on their way', () => {
  const { bytesOf, atOnce } = partPlan()
  expect([0, 799, 800, 1600].map(bytesOf)).toEqual([8, 8, 16, 32].map((size) => size * mebibyte))
  expect([8, 16, 32, 1024].map((size) => atOnce(size * mebibyte))).toEqual([2, 1, 1, 1])
})

it('a size that is configured is that of every part', () => {
  const { bytesOf } = partPlan(64 * mebibyte)
  expect([0, 9999].map(bytesOf)).toEqual([64 * mebibyte, 64 * mebibyte])
})
