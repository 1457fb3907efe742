import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { fanOut, type Taker } from './fan-out.js'

const mebibyte = 1024 * 1024
const together = (errors: readonly unknown[]) => new AggregateError(errors, 'all failed')

/** Chunks of a mebibyte, each filled with its number; tells how many were asked for. */
function source(chunks: number, failAt = Infinity) {
  const asked = { chunks: 0 }
  const stream = Readable.from(
    (function* () {
      for (let at = 0; at < chunks; at++) {
        if (at === failAt) throw new Error('the dump broke')
        asked.chunks++
        yield Buffer.alloc(mebibyte, at)
      }
    })(),
    { objectMode: false, highWaterMark: mebibyte },
  )
  return { stream, asked }
}

function collector() {
  const seen: number[] = []
  let bytes = 0
  const take: Taker = async (stream) => {
    for await (const chunk of stream) {
      bytes += (chunk as Buffer).length
      seen.push((chunk as Buffer)[0] ?? -1)
    }
  }
  return { take, seen, bytes: () => bytes }
}

const failing =
  (afterChunks: number, error: Error): Taker =>
  async (stream) => {
    let taken = 0
    if (afterChunks === 0) throw error
    for await (const _chunk of stream) if (++taken >= afterChunks) throw error
  }

describe('fan out', () => {
  it.each([1, 2, 3])('%i takers get every byte', async (count) => {
    const takers = Array.from({ length: count }, collector)
    await fanOut(
      source(20).stream,
      takers.map(({ take }) => take),
      together,
    )
    for (const { bytes, seen } of takers) {
      expect(bytes()).toBe(20 * mebibyte)
      expect(seen).toEqual([...seen].sort((a, b) => a - b))
    }
  })

  it.each([0, 1, 7])('one that fails after %i chunks is left behind', async (chunks) => {
    const good = collector()
    await fanOut(source(20).stream, [failing(chunks, new Error('full')), good.take], together)
    expect(good.bytes()).toBe(20 * mebibyte)
  })

  it('where all fail the source is closed, and each error is told', async () => {
    const errors = [new Error('full'), new Error('gone')]
    const { stream, asked } = source(1000)
    const failed = fanOut(stream, [failing(2, errors[0] as Error), failing(5, errors[1] as Error)], together)
    await expect(failed).rejects.toMatchObject({ message: 'all failed', errors })
    expect(stream.destroyed).toBe(true)
    expect(asked.chunks).toBeLessThan(20)
  })

  it('an error of the source is the error of every taker, none of which sees an end', async () => {
    const ends: string[] = []
    const take: Taker = async (stream) => {
      try {
        for await (const _chunk of stream);
        ends.push('a clean end')
      } catch (error) {
        ends.push((error as Error).message)
        throw error
      }
    }
    await expect(fanOut(source(20, 6).stream, [take, take], together)).rejects.toThrow('the dump broke')
    expect(ends).toEqual(['the dump broke', 'the dump broke'])
  })

  it('FAILURES 9: the slowest sets the pace, and little waits for it', async () => {
    const { stream, asked } = source(1000)
    const quick = collector()
    let proceed: () => void = () => undefined
    const stalled = new Promise<void>((resolve) => (proceed = resolve))
    const slow: Taker = async (bytes) => {
      await stalled
      for await (const _chunk of bytes);
    }
    const done = fanOut(stream, [quick.take, slow], together)
    let before = -1
    while (before !== asked.chunks) {
      before = asked.chunks
      for (let turns = 0; turns < 50; turns++) await turn()
    }
    expect(asked.chunks).toBeLessThan(8)
    proceed()
    await done
    expect(quick.bytes()).toBe(1000 * mebibyte)
  })

  it('one that stops reading without an error does not hold the others up', async () => {
    const good = collector()
    await fanOut(source(20).stream, [() => Promise.resolve(), good.take], together)
    expect(good.bytes()).toBe(20 * mebibyte)
  })
})
