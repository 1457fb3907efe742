import { strict as assert } from 'node:assert'
import { createCipheriv } from 'node:crypto'
import { Readable, Writable, type Duplex } from 'node:stream'
import type { Context } from '../env/context.js'
import type { Json } from '../env/json.js'
import { nodeEnv } from '../env/node-env.js'
import { HoldfastError } from '../errors.js'
import type { Stage } from '../stages/stage.js'
import { connect } from '../streams/connect.js'

/** The longest a single stream may take before the check fails. */
const deadlineMs = 30_000

/** What encoding made. */
export interface Encoded {
  readonly bytes: Buffer
  /** As they come back from a manifest. */
  readonly facts: Json
}

/** Runs one stage over data in memory. */
export class StageBench {
  readonly stage: Stage

  constructor(stage: Stage) {
    this.stage = stage
  }

  async encode(data: Buffer, chunks: Iterable<Buffer> = chunked(data)): Promise<Encoded> {
    const cx = context()
    const encoding = this.stage.encode(cx)
    const bytes = await passed(chunks, encoding.through, cx.signal)
    return { bytes, facts: JSON.parse(JSON.stringify(encoding.facts())) as Json }
  }

  decode(bytes: Buffer, facts: Json, chunks: Iterable<Buffer> = chunked(bytes)): Promise<Buffer> {
    const cx = context()
    return passed(chunks, this.stage.decode(cx, facts), cx.signal)
  }

  /** What comes of decoding damaged bytes: the data, or the error, which has to be one of Holdfast's. */
  async decodeDamaged(bytes: Buffer, facts: Json, what: string): Promise<Buffer | HoldfastError> {
    try {
      return await this.decode(bytes, facts)
    } catch (error) {
      assert(error instanceof HoldfastError, `${what}: ${String(error)} is not a HoldfastError`)
      assert.notEqual(error.code, 'internal.unexpected', what)
      return error
    }
  }

  /** Decoding has to fail, and to say that the data are at fault. */
  async refuses(bytes: Buffer, facts: Json, what: string): Promise<void> {
    const result = await this.decodeDamaged(bytes, facts, what)
    assert(result instanceof HoldfastError, `${what} was decoded without an error`)
    assert(result.code.startsWith('integrity.'), `${what} gave ${result.code}: ${result.message}`)
  }
}

/** Two cores, so that what may be in flight is the same on every machine. */
export function context(signal: AbortSignal = AbortSignal.timeout(deadlineMs)): Context {
  return { env: { ...nodeEnv(), cores: 2 }, signal, emit: () => undefined }
}

/** Sends the chunks through the stream and gives all that comes out. */
export async function passed(
  chunks: Iterable<Buffer>,
  through: Duplex,
  signal: AbortSignal,
): Promise<Buffer> {
  const parts: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk)
      done()
    },
  })
  await connect([Readable.from(chunks, { objectMode: false }), through, sink], signal)
  return Buffer.concat(parts)
}

export function* chunked(data: Buffer, bytes = 1024 * 1024): Generator<Buffer> {
  for (let at = 0; at < data.length; at += bytes) yield data.subarray(at, at + bytes)
}

/** Chunks of all lengths, many of them tiny, the same for the same seed. */
export function* oddlyChunked(data: Buffer, seed: number): Generator<Buffer> {
  const lengths = randomData(4096, seed)
  for (let at = 0, turn = 0; at < data.length; turn = (turn + 4) % lengths.length) {
    const length = lengths.readUInt32LE(turn) % 2 ** ((lengths[turn] as number) % 20)
    yield data.subarray(at, at + length)
    at += length
  }
}

/** Bytes that do not compress, the same for the same seed. */
export function randomData(bytes: number, seed = 0): Buffer {
  const iv = Buffer.alloc(16)
  iv.writeUInt32BE(seed)
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), iv).update(Buffer.alloc(bytes))
}

/** Bytes that compress as rows of a table do. */
export function rowData(bytes: number): Buffer {
  const rows: string[] = []
  for (let length = 0, id = 1; length < bytes; id++) {
    const row = `${id}\t${(id * 7919) % 1000}\tname${id % 97}@example.org\t2026-03-${(id % 28) + 1}\t${id / 8}\n`
    rows.push(row)
    length += row.length
  }
  return Buffer.from(rows.join('')).subarray(0, bytes)
}
