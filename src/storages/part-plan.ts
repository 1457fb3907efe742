import type { PartPlan } from './parts.js'

const mebibyte = 1024 * 1024

/** S3's limits (User Guide, "Multipart upload limits"). */
export const mostParts = 10_000
export const leastPartBytes = 5 * mebibyte
export const mostPartBytes = 5 * 1024 * mebibyte

const firstPartBytes = 8 * mebibyte
const partsOfOneSize = 800
const largestPartBytes = 1024 * mebibyte

/** What may be on its way at once, beside the part that grows. */
const onTheWayBytes = 16 * mebibyte

/**
 * Parts for an object whose length nobody knows: 800 of 8 MiB, 800 of 16 MiB and so on, up to 1 GiB, so that 10 000 of them hold
 * more than 5 TiB. An object of 6 GiB is held in memory with 24 MiB, one of 100 GiB with 128 MiB, one of 5 TiB with 2 GiB.
 * @param fixedBytes the size of every part, where it is configured
 */
export function partPlan(fixedBytes?: number): PartPlan {
  return {
    bytesOf: (index) =>
      fixedBytes ?? Math.min(firstPartBytes * 2 ** Math.floor(index / partsOfOneSize), largestPartBytes),
    atOnce: (bytes) => Math.max(1, Math.floor(onTheWayBytes / Math.max(bytes, firstPartBytes))),
  }
}
