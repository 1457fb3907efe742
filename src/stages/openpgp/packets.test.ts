import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isArmored, startsAsMessage, walkOf } from './packets.js'

/** A packet, in one of the ways in which RFC 9580 lets its length be written. */
const packet = fc.record({
  tag: fc.constantFrom(1, 3, 10, 9, 18),
  length: fc.oneof(fc.nat(191), fc.integer({ min: 192, max: 600 }), fc.integer({ min: 8300, max: 9000 })),
  form: fc.constantFrom('old1', 'old2', 'old4', 'new', 'new5', 'partial'),
})

function encodePacket(tag: number, body: Buffer, form: string): Buffer {
  const long = Buffer.alloc(4)
  long.writeUInt32BE(body.length)
  if (form === 'old1' && tag < 16 && body.length < 256)
    return Buffer.concat([Buffer.from([0x80 | (tag << 2), body.length]), body])
  if (form === 'old2' && tag < 16)
    return Buffer.concat([Buffer.from([0x81 | (tag << 2)]), long.subarray(2), body])
  if (form === 'old4' && tag < 16) return Buffer.concat([Buffer.from([0x82 | (tag << 2)]), long, body])
  if (form === 'new5') return Buffer.concat([Buffer.from([0xc0 | tag, 255]), long, body])
  if (form === 'partial' && body.length >= 512)
    return Buffer.concat([
      Buffer.from([0xc0 | tag, 224 + 9]),
      body.subarray(0, 512),
      newLength(body.length - 512),
      body.subarray(512),
    ])
  return Buffer.concat([Buffer.from([0xc0 | tag]), newLength(body.length), body])
}

function newLength(length: number): Buffer {
  if (length < 192) return Buffer.from([length])
  if (length < 8384) return Buffer.from([192 + ((length - 192) >> 8), (length - 192) & 255])
  const five = Buffer.alloc(5, 255)
  five.writeUInt32BE(length, 1)
  return five
}

function wholeAfter(data: Buffer, chunkBytes: number): boolean {
  const walk = walkOf(data)
  for (let at = 0; at < data.length; at += chunkBytes) walk.see(data.subarray(at, at + chunkBytes))
  return walk.whole()
}

describe('following packets', () => {
  it('FAILURES 16: a message is whole at the end of its data and nowhere else', () => {
    fc.assert(
      fc.property(
        fc.array(packet, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 9000 }),
        (packets, chunkBytes) => {
          const encoded = packets.map(({ tag, length, form }) =>
            encodePacket(tag, Buffer.alloc(length), form),
          )
          const data = Buffer.concat(encoded)
          // A message may end after a packet of encrypted data, not after one that only holds its session key.
          const ends = new Map<number, boolean>()
          let end = 0
          for (const [index, bytes] of encoded.entries())
            ends.set((end += bytes.length), [9, 18].includes(packets[index]?.tag ?? 0))
          const cuts = [...[...ends.keys()].flatMap((at) => [at, at - 1]), 1, 2, 3, 600]
          for (const cut of cuts.filter((length) => length <= data.length))
            expect(wholeAfter(data.subarray(0, cut), chunkBytes), `cut at ${cut}`).toBe(
              ends.get(cut) ?? false,
            )
        },
      ),
      { numRuns: 200 },
    )
  })

  it('nothing at all is not whole; a packet without a length is', () => {
    expect(walkOf(Buffer.alloc(0)).whole()).toBe(false)
    expect(wholeAfter(Buffer.concat([Buffer.from([0xa7]), Buffer.alloc(1000, 0xff)]), 100)).toBe(true)
  })

  it('armor is whole with its last line', () => {
    const armored = Buffer.from(
      `-----BEGIN PGP MESSAGE-----\n\n${'abcd'.repeat(500)}\n=abcd\n-----END PGP MESSAGE-----\n`,
    )
    for (const chunkBytes of [1, 7, 100, 5000]) {
      expect(wholeAfter(armored, chunkBytes)).toBe(true)
      expect(wholeAfter(armored.subarray(0, -2), chunkBytes)).toBe(false)
    }
  })
})

it('recognises encrypted messages, not keys, signatures or plain packets', () => {
  const body = (version: number) => Buffer.from([version, ...Buffer.alloc(100)])
  for (const form of ['old1', 'old2', 'new', 'new5']) {
    expect(startsAsMessage(encodePacket(1, body(3), form))).toBe(true)
    expect(startsAsMessage(encodePacket(3, body(4), form))).toBe(true)
    for (const tag of [1, 2, 5, 6, 8, 11, 13])
      expect(startsAsMessage(encodePacket(tag, body(2), form))).toBe(false)
  }
  expect(startsAsMessage(Buffer.from('-----BEGIN PGP MESSAGE-----\n\nabc'))).toBe(true)
  expect(startsAsMessage(Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n'))).toBe(false)
  expect(isArmored(Buffer.from('\n-----BEGIN PGP MESSAGE-----\n'))).toBe(true)
})
