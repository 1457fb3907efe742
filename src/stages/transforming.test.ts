import { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../errors.js'
import { connect } from '../streams/connect.js'
import { transforming } from './transforming.js'

const never = new AbortController().signal

async function* upperCase(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of source) yield Buffer.from(chunk.toString().toUpperCase())
  yield Buffer.from('.')
}

describe('a stream from a generator', () => {
  it('gives what the generator yields, and ends when it returns', async () => {
    const stream = transforming(upperCase)
    stream.write('one ')
    stream.end('two')
    expect((await buffer(stream)).toString()).toBe('ONE TWO.')
  })

  it('hands chunks on as they are', async () => {
    const given = [Buffer.alloc(10), Buffer.alloc(3_000_000), Buffer.alloc(1)]
    const taken: Buffer[] = []
    const stream = transforming(async function* (source) {
      for await (const chunk of source) {
        taken.push(chunk)
        yield chunk
      }
    })
    const out = new Writable({ write: (_chunk, _encoding, done) => done() })
    await connect([Readable.from(given), stream, out], never)
    expect(taken.map((chunk, index) => chunk === given[index])).toEqual([true, true, true])
  })

  it('an error of the generator is the error of the stream', async () => {
    const fault = new HoldfastError('integrity.format', 'not what it should be')
    const stream = transforming(async function* (source) {
      for await (const chunk of source) {
        yield chunk
        throw fault
      }
    })
    const out = new Writable({ write: (_chunk, _encoding, done) => done() })
    await expect(connect([Readable.from([Buffer.from('a')]), stream, out], never)).rejects.toBe(fault)
  })

  it('destroyed while the generator waits for input, it runs its finally block and aborts its signal', async () => {
    let seen: AbortSignal | undefined
    let waiting = false
    const cleaned = new Promise<unknown>((resolve) => {
      const stream = transforming(async function* (source, signal) {
        seen = signal
        try {
          waiting = true
          for await (const chunk of source) yield chunk
        } finally {
          resolve('cleaned')
        }
      })
      stream.on('error', () => undefined)
      stream.resume()
      void (async () => {
        while (!waiting) await setImmediate()
        stream.destroy(new Error('given up'))
      })()
    })
    expect(await cleaned).toBe('cleaned')
    expect(seen?.reason).toMatchObject({ message: 'given up' })
  })

  it('destroyed while the generator waits for its reader, it runs its finally block', async () => {
    const cleaned = new Promise<unknown>((resolve) => {
      const stream = transforming(async function* () {
        try {
          for (;;) yield await Promise.resolve(Buffer.alloc(2_000_000))
        } finally {
          resolve('cleaned')
        }
      })
      stream.once('readable', () => stream.destroy())
    })
    expect(await cleaned).toBe('cleaned')
  })

  it('takes no more than its reader takes from it', async () => {
    let pulled = 0
    const source = function* () {
      for (; pulled < 100; pulled++) yield Buffer.alloc(1024 * 1024)
    }
    const stream = transforming((input) => input)
    const out = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => void setImmediate().then(() => done()),
    })
    let most = 0
    let taken = 0
    out.on('drain', () => (most = Math.max(most, pulled - ++taken)))
    await connect([Readable.from(source()), stream, out], never)
    expect(pulled).toBe(100)
    // Two in each buffer of the stream, one with the generator, and the readers' own.
    expect(most).toBeLessThan(25)
  })

  it('reads to its end what a generator does not want', async () => {
    const stream = transforming(async function* () {
      yield await Promise.resolve(Buffer.from('enough'))
    })
    const out: Buffer[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        out.push(chunk)
        done()
      },
    })
    await connect(
      [Readable.from(Array.from({ length: 50 }, () => Buffer.alloc(1_000_000))), stream, sink],
      never,
    )
    expect(Buffer.concat(out).toString()).toBe('enough')
  })
})
