import { createHash } from 'node:crypto'
import { PassThrough, Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../errors.js'
import { connect, connected, connectTo } from './connect.js'
import { measuring } from './measure.js'

const never = new AbortController().signal

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

describe('measuring', () => {
  it('counts and digests, and shows each chunk', async () => {
    const seen: number[] = []
    const { through, result } = measuring({ push: (chunk, bytes) => void seen.push(chunk.length, bytes) })
    expect(await text(Readable.from([Buffer.from('ab'), Buffer.from('c')]).pipe(through))).toBe('abc')
    expect(result()).toEqual({ bytes: 3, sha256: createHash('sha256').update('abc').digest('hex') })
    expect(seen).toEqual([2, 2, 1, 3])
  })

  it('what an observer throws at the end keeps the stream from ending', async () => {
    const error = new HoldfastError('integrity.truncated', 'too short')
    const { through } = measuring({
      end() {
        throw error
      },
    })
    await expect(text(connected([Readable.from([Buffer.from('abc')]), through], never))).rejects.toBe(error)
  })

  it('gives no result before the end', () => {
    expect(() => measuring().result()).toThrow(TypeError)
  })
})

describe('connectTo', () => {
  it('gives the consumer everything, and its result back', async () => {
    expect(await connectTo([Readable.from([Buffer.from('abc')]), new PassThrough()], text, never)).toBe('abc')
  })

  it('throws the error of the source, and the consumer sees no clean end', async () => {
    const error = new HoldfastError('tool.failed', 'pg_dump ended with status 1')
    const source = new Readable({ read() {} })
    source.push('half')
    setImmediate(() => source.destroy(error))
    let ended = false
    const consume = async (output: Readable) => {
      const all = await text(output)
      ended = true
      return all
    }
    await expect(connectTo([source, new PassThrough()], consume, never)).rejects.toBe(error)
    expect(ended).toBe(false)
  })

  it('throws the error of the consumer, and ends the source', async () => {
    const error = new HoldfastError('storage.full', 'no space')
    const source = new Readable({
      read() {
        this.push(Buffer.alloc(65_536))
      },
    })
    const consume = async (output: Readable) => {
      for await (const _chunk of output) throw error
    }
    await expect(connectTo([source, new PassThrough()], consume, never)).rejects.toBe(error)
    expect(source.destroyed).toBe(true)
  })

  it('throws the reason of the signal', async () => {
    const controller = new AbortController()
    const reason = new HoldfastError('interrupted.sigint', 'interrupted')
    const source = new Readable({ read() {} })
    setImmediate(() => controller.abort(reason))
    await expect(connectTo([source, new PassThrough()], text, controller.signal)).rejects.toBe(reason)
    expect(source.destroyed).toBe(true)
  })
})

it('connected: an error in the middle is the error of the stream that is read', async () => {
  const error = new HoldfastError('integrity.format', 'not zstd')
  const broken = new PassThrough({ transform: (_chunk, _encoding, done) => done(error) })
  await expect(
    text(connected([Readable.from([Buffer.from('x')]), broken, new PassThrough()], never)),
  ).rejects.toBe(error)
})

it('connected: not reading to the end ends the source', async () => {
  const source = new Readable({
    read() {
      this.push(Buffer.alloc(65_536))
    },
  })
  for await (const _chunk of connected([source, new PassThrough()], never)) break
  await new Promise((resolve) => setImmediate(resolve))
  expect(source.destroyed).toBe(true)
})

it('connect: throws the first error', async () => {
  const error = new HoldfastError('storage.denied', 'no')
  const sink = new Writable({ write: (_chunk, _encoding, done) => done(error) })
  await expect(connect([Readable.from([Buffer.from('x')]), sink], never)).rejects.toBe(error)
})
