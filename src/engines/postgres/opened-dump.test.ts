import { Readable, Writable } from 'node:stream'
import { expect, it } from 'vitest'
import type { FormatChecker, RestoreSource } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { connect } from '../../streams/connect.js'
import { CheckedDump, openDump } from './opened-dump.js'
import { testContext } from './test-fixture.js'

const sourceOf = (stream: Readable): RestoreSource => ({
  parts: [{ name: 'dump', role: 'dump' }],
  open: () => Promise.resolve(stream),
})

/** Gives the next piece whenever it is asked, without waiting. */
function eager(bytes: Buffer, pieceBytes: number): { readonly stream: Readable; given(): number } {
  let at = 0
  const stream = new Readable({
    read() {
      const piece = bytes.subarray(at, at + pieceBytes)
      at += piece.length
      this.push(piece.length > 0 ? piece : null)
    },
  })
  return { stream, given: () => at }
}

async function collect(stream: Readable, ...through: CheckedDump[]): Promise<Buffer> {
  const chunks: Buffer[] = []
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => (chunks.push(chunk), done()) })
  await connect([stream, ...through, sink], new AbortController().signal)
  return Buffer.concat(chunks)
}

const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 251))
const always: FormatChecker = { push: () => undefined, end: () => undefined }

it('reads as much as is needed, and gives the rest', async () => {
  const { stream, given } = eager(bytes, 10_000)
  let seen = 0
  const { head, rest } = await openDump(
    testContext(),
    sourceOf(stream),
    (chunk) => (seen += chunk.length) >= 50_000,
  )
  expect(head.length).toBeGreaterThanOrEqual(50_000)
  // What the stream had waiting, and no more: a head must not become the whole dump.
  expect(given()).toBeLessThan(200_000)
  expect((await collect(rest, new CheckedDump(always, head))).equals(bytes)).toBe(true)
})

it('takes a dump that is all head', async () => {
  for (const length of [0, 1, 30_000]) {
    const { stream } = eager(bytes.subarray(0, length), 10_000)
    const { head, rest } = await openDump(testContext(), sourceOf(stream), () => false)
    expect(head.length).toBe(length)
    expect((await collect(rest, new CheckedDump(always, head))).length).toBe(length)
  }
})

it('passes on what the source, the reader and the signal say', async () => {
  const broken = new Readable({
    read() {
      this.destroy(new HoldfastError('storage.unreachable', 'gone'))
    },
  })
  await expect(openDump(testContext(), sourceOf(broken), () => false)).rejects.toMatchObject({
    code: 'storage.unreachable',
  })

  const { stream } = eager(bytes, 10_000)
  const refuse = () => {
    throw new HoldfastError('integrity.format', 'no')
  }
  await expect(openDump(testContext(), sourceOf(stream), refuse)).rejects.toMatchObject({
    code: 'integrity.format',
  })
  expect(stream.destroyed).toBe(true)

  const abort = new AbortController()
  const silent = new Readable({ read: () => undefined })
  const opening = openDump(testContext(abort.signal), sourceOf(silent), () => false)
  abort.abort(new HoldfastError('interrupted.sigterm', 'terminated'))
  await expect(opening).rejects.toMatchObject({ code: 'interrupted.sigterm' })
  expect(silent.destroyed).toBe(true)

  const closed = new Readable({ read: () => undefined })
  const waiting = openDump(testContext(), sourceOf(closed), () => false)
  setImmediate(() => closed.destroy())
  await expect(waiting).rejects.toMatchObject({ code: 'integrity.truncated' })
})

it('an error between the head and the rest is the error of the rest', async () => {
  const { stream } = eager(bytes, 10_000)
  const { head, rest } = await openDump(testContext(), sourceOf(stream), () => true)
  stream.destroy(new HoldfastError('integrity.checksum', 'bytes differ'))
  await new Promise((resolve) => setImmediate(resolve))
  await expect(collect(rest, new CheckedDump(always, head))).rejects.toThrow()
})

it('keeps the last piece back until the dump is known to be whole', async () => {
  const written: Buffer[] = []
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => (written.push(chunk), done()) })
  const checker: FormatChecker = {
    push: () => undefined,
    end() {
      throw new HoldfastError('integrity.truncated', 'cut')
    },
  }
  const pieces = [Buffer.from('b'), Buffer.from('c')]
  const fed = connect(
    [Readable.from(pieces), new CheckedDump(checker, Buffer.from('a')), sink],
    new AbortController().signal,
  )
  await expect(fed).rejects.toMatchObject({ code: 'integrity.truncated' })
  expect(Buffer.concat(written).toString()).toBe('ab')
})
