import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { Pace } from './pace.js'

async function passed(pace: Pace, chunk: Buffer, signal = new AbortController().signal): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  for await (const each of Readable.from([chunk]).pipe(pace.through(signal))) chunks.push(each as Buffer)
  return chunks
}

it('all streams through it have the rate together, and every byte comes through', async () => {
  const pace = new Pace(1_000_000)
  const start = performance.now()
  const given = Buffer.from(Array.from({ length: 250_000 }, (_, index) => index % 251))
  const both = await Promise.all([passed(pace, given), passed(pace, given)])
  const ms = performance.now() - start
  expect(both.map((chunks) => Buffer.concat(chunks).equals(given))).toEqual([true, true])
  // Half a second, less the slice that passes at once.
  expect(ms).toBeGreaterThan(390)
})

it('a chunk that is within the rate stays itself, so that its memory can be used again', async () => {
  const chunk = Buffer.alloc(1000)
  expect((await passed(new Pace(10_000), chunk))[0]).toBe(chunk)
})

it('waiting ends with the signal', async () => {
  const stop = new AbortController()
  const through = new Pace(1).through(stop.signal)
  const ended = new Promise((resolve) => through.once('error', resolve))
  through.resume().write(Buffer.alloc(100))
  stop.abort(new Error('enough'))
  expect(await ended).toMatchObject({ name: 'AbortError' })
})
