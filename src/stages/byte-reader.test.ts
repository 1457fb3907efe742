import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ByteReader } from './byte-reader.js'

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Promise.resolve(Buffer.from(chunk))
}

it('gives the same bytes whatever the chunks and the lengths are', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.array(fc.record({ length: fc.nat(60), peek: fc.boolean() })),
      async (chunks, calls) => {
        const all = Buffer.concat(chunks)
        const reader = new ByteReader(from(chunks), 'test')
        let at = 0
        for (const { length, peek } of calls) {
          const expected = all.subarray(at, at + length)
          expect(await (peek ? reader.peek(length) : reader.takeUpTo(length))).toEqual(expected)
          if (!peek) at += expected.length
          expect(await reader.atEnd()).toBe(at === all.length)
        }
        const rest: Buffer[] = []
        for await (const chunk of reader.rest()) rest.push(chunk)
        expect(Buffer.concat(rest)).toEqual(all.subarray(at))
      },
    ),
  )
})

it('says that data end too early', async () => {
  const reader = new ByteReader(from([Buffer.from('abc')]), 'test')
  await expect(reader.take(4)).rejects.toMatchObject({
    code: 'integrity.truncated',
    message: 'the test data end too early',
  })
})
