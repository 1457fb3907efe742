import { strict as assert } from 'node:assert'
import { Readable, Writable, type Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { HoldfastError } from '../errors.js'
import type { Stage, StageKind } from '../stages/stage.js'
import { ChunkPool } from '../streams/chunk-pool.js'
import { connect } from '../streams/connect.js'
import type { ContractCheck } from './contract.js'
import { context, oddlyChunked, randomData, rowData, StageBench, type Encoded } from './stage-bench.js'

export interface StageFixture {
  readonly kind: StageKind
  /** A stage that encodes, and decodes what it encoded. */
  stage(): Stage
  /** False for a format without checksums, which cannot notice every changed bit. Default true. */
  readonly noticesChanges?: boolean
  /** Beginnings of data in formats that other stages read. */
  readonly foreign?: readonly Uint8Array[]
}

const kib = 1024
const mib = 1024 * kib
/** Where formats have their boundaries. */
const boundaries = [64 * kib, mib, 4 * mib]
/** The most that a stage may hold between its two ends: blocks of 4 MiB, three under way, one filling, one on its way out. */
const heldBytes = 20 * mib

/**
 * What every stage promises, as checks that any test framework can run.
 *
 * @example
 * for (const check of stageContract({ kind: rot13, stage: () => rot13.create({}, keys) })) test(check.name, () => check.run())
 */
export function stageContract(fixture: StageFixture): readonly ContractCheck[] {
  const checks: readonly [
    name: string,
    check: (bench: StageBench, fixture: StageFixture) => Promise<void>,
  ][] = [
    ...roundTrips(),
    ['decodes its output without facts, as a file made elsewhere', decodesWithoutFacts],
    ['gives the same whatever the chunks are', ignoresChunking],
    ['is done with a chunk when it gives it back', releasesWhatItHasUsed],
    ['keeps two streams of one stage apart', keepsStreamsApart],
    ['recognises its own output and nothing else', recognises],
    ['FAILURES 16: data cut anywhere are an error, never a clean end', refusesCutData],
    ['FAILURES 16: a changed bit never passes unnoticed', refusesChangedBits],
    ['FAILURES 16: data with something after them are an error', refusesTrailingData],
    ['data of another kind are an error', refusesOtherData],
    [
      'FAILURES 9: encoding waits for a slow reader',
      (bench) => waitsForReader(bench.stage.encode(context()).through),
    ],
    ['FAILURES 9: decoding waits for a slow reader', decodingWaitsForReader],
    [
      'FAILURES 6: an abort ends encoding at once',
      (bench) => abortEnds((cx) => bench.stage.encode(cx).through),
    ],
    ['FAILURES 6: an abort ends decoding at once', (bench) => abortEnds((cx) => bench.stage.decode(cx, {}))],
    ['an error of the source comes through as it is', passesErrors],
  ]
  return checks.map(([name, check]) => ({ name, run: () => check(new StageBench(fixture.stage()), fixture) }))
}

function roundTrips(): readonly [string, (bench: StageBench) => Promise<void>][] {
  const sizes = [0, 1, ...boundaries.flatMap((bytes) => [bytes - 1, bytes, bytes + 1])]
  return sizes.map((bytes) => [
    `gives back ${bytes} bytes`,
    async (bench) => {
      for (const data of [randomData(bytes), rowData(bytes)]) {
        const { bytes: encoded, facts } = await bench.encode(data)
        assertSame(await bench.decode(encoded, facts), data, 'the decoded data')
      }
    },
  ])
}

async function decodesWithoutFacts(bench: StageBench): Promise<void> {
  const data = rowData(3 * mib)
  assertSame(await bench.decode((await bench.encode(data)).bytes, {}), data, 'the decoded data')
}

async function ignoresChunking(bench: StageBench): Promise<void> {
  for (let seed = 0; seed < 20; seed++) {
    const data = seed % 2 === 0 ? rowData(seed * 100_003) : randomData(seed * 100_003, seed)
    const { bytes, facts } = await bench.encode(data, oddlyChunked(data, seed))
    assertSame(
      await bench.decode(bytes, facts, oddlyChunked(bytes, seed + 100)),
      data,
      `the data of seed ${seed}`,
    )
  }
  const small = rowData(3000)
  const { bytes, facts } = await bench.encode(small, singles(small))
  assertSame(await bench.decode(bytes, facts, singles(bytes)), small, 'data given byte by byte')
}

/** As the output of programs comes: a chunk that was given back too early is overwritten by the next. */
async function releasesWhatItHasUsed(bench: StageBench): Promise<void> {
  const data = randomData(24 * mib + 17)
  for (const chunkBytes of [300 * kib, 4 * mib]) {
    const pool = new ChunkPool(chunkBytes)
    const source = function* () {
      for (let at = 0; at < data.length; at += chunkBytes) {
        const chunk = pool.take()
        const filled = data.copy(chunk, 0, at)
        yield filled < chunkBytes ? chunk.subarray(0, filled) : chunk
      }
    }
    const { bytes, facts } = await bench.encode(data, source())
    assert(data.equals(await bench.decode(bytes, facts)), `chunks of ${chunkBytes} bytes`)
  }
}

async function keepsStreamsApart(bench: StageBench): Promise<void> {
  const inputs = [rowData(2 * mib), randomData(3 * mib), rowData(100)]
  const encoded = await Promise.all(inputs.map((data) => bench.encode(data)))
  const decoded = await Promise.all(encoded.map(({ bytes, facts }) => bench.decode(bytes, facts)))
  for (const [index, data] of decoded.entries()) assertSame(data, inputs[index] as Buffer, `stream ${index}`)
}

async function recognises(bench: StageBench, { kind, foreign = [] }: StageFixture): Promise<void> {
  assert.match(kind.extension, /^\.[a-z0-9]+$/u)
  assert.equal(bench.stage.id, kind.id)
  for (const data of [Buffer.alloc(0), randomData(1), rowData(2 * mib)]) {
    const { bytes } = await bench.encode(data)
    assert(kind.recognises(bytes.subarray(0, 64)), `its output for ${data.length} bytes is not recognised`)
  }
  for (const head of [...otherData().map((data) => data.subarray(0, 64)), ...foreign])
    assert(!kind.recognises(head), `it recognises ${JSON.stringify(Buffer.from(head).toString('latin1'))}`)
}

async function refusesCutData(bench: StageBench): Promise<void> {
  for (const encoded of await samples(bench)) {
    for (const length of positions(encoded.bytes.length))
      await bench.refuses(
        encoded.bytes.subarray(0, length),
        encoded.facts,
        `${length} of ${encoded.bytes.length} bytes`,
      )
  }
}

async function refusesChangedBits(bench: StageBench, { noticesChanges = true }: StageFixture): Promise<void> {
  for (const encoded of await samples(bench)) {
    for (const position of positions(encoded.bytes.length)) {
      const bytes = Buffer.from(encoded.bytes)
      bytes[position] = (bytes[position] as number) ^ (1 << (position % 8))
      const result = await bench.decodeDamaged(bytes, encoded.facts, `a changed bit at ${position}`)
      // Some formats have bits that mean nothing, such as a time.
      if (noticesChanges && !(result instanceof HoldfastError))
        assertSame(result, encoded.data, `the data after a changed bit at ${position}`)
    }
  }
}

async function refusesTrailingData(bench: StageBench): Promise<void> {
  for (const { bytes, facts } of await samples(bench)) {
    await bench.refuses(
      Buffer.concat([bytes, Buffer.from('and something else')]),
      facts,
      'data with text after them',
    )
    await bench.refuses(Buffer.concat([bytes, bytes]), facts, 'data that come twice')
  }
}

async function refusesOtherData(bench: StageBench): Promise<void> {
  for (const data of [Buffer.alloc(0), ...otherData()])
    await bench.refuses(data, {}, `${data.length} bytes of something else`)
}

async function decodingWaitsForReader(bench: StageBench): Promise<void> {
  const { bytes, facts } = await bench.encode(randomData(48 * mib))
  await waitsForReader(bench.stage.decode(context(), facts), bytes)
}

/** Data that do not compress are as long after the stage as before it: the difference is what is held between its ends. */
async function waitsForReader(through: Duplex, data: Buffer = randomData(48 * mib)): Promise<void> {
  let given = 0
  let taken = 0
  let held = 0
  const source = function* () {
    for (; given < data.length; given += mib) yield data.subarray(given, given + mib)
  }
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      taken += chunk.length
      held = Math.max(held, given - taken)
      setTimeout(done, (5 * chunk.length) / mib)
    },
  })
  await connect([Readable.from(source(), { objectMode: false }), through, slow], context().signal)
  assert(held <= heldBytes, `${held} bytes were held between the ends of the stage`)
}

async function abortEnds(open: (cx: ReturnType<typeof context>) => Duplex): Promise<void> {
  const controller = new AbortController()
  const through = open(context(controller.signal))
  // A source that neither goes on nor ends.
  const source = new Readable({ read: () => undefined })
  source.push(rowData(100))
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
  const closed = new Promise((resolve, reject) => {
    through.once('close', resolve)
    AbortSignal.timeout(5_000).onabort = () =>
      reject(new assert.AssertionError({ message: 'the stage did not end' }))
  })
  const running = assert.rejects(connect([source, through, sink], controller.signal))
  while (source.readableLength > 0) await setImmediate()
  controller.abort(new HoldfastError('interrupted.sigterm', 'terminated'))
  await Promise.all([running, closed])
  assert(through.destroyed)
}

async function passesErrors(bench: StageBench): Promise<void> {
  const fault = new HoldfastError('storage.unreachable', 'the line is dead')
  const { bytes } = await bench.encode(rowData(mib))
  const streams = [bench.stage.encode(context()).through, bench.stage.decode(context(), {})]
  for (const [index, through] of streams.entries()) {
    const source = Readable.from(
      (function* () {
        yield (index === 0 ? rowData(mib) : bytes).subarray(0, 1000)
        throw fault
      })(),
    )
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
    await assert.rejects(connect([source, through, sink], context().signal), (error) => error === fault)
  }
}

/** A small output, and one of several frames, chunks or members. */
async function samples(bench: StageBench): Promise<readonly (Encoded & { readonly data: Buffer })[]> {
  const inputs = [rowData(2000), Buffer.concat([randomData(1.2 * mib), rowData(mib)])]
  return Promise.all(inputs.map(async (data) => ({ ...(await bench.encode(data)), data })))
}

/** Every byte near the ends, and some between. */
function positions(length: number): readonly number[] {
  const edge = 40
  const between = Array.from({ length: 40 }, (_, index) => edge + Math.floor((index * (length - edge)) / 40))
  const near = Array.from({ length: edge }, (_, index) => [index, length - 1 - index]).flat()
  return [...new Set([...near, ...between])].filter((position) => position >= 0 && position < length)
}

function otherData(): readonly Buffer[] {
  return [
    Buffer.from('-- PostgreSQL database dump\n\nSET statement_timeout = 0;\n'.repeat(50)),
    Buffer.from('PGDMP\x01\x0e\x00\x04\x08\x01\x01\x01\x00\x00\x00\x00'.repeat(50), 'latin1'),
    Buffer.from(`SQLite format 3\0${'\0'.repeat(500)}`),
    Buffer.alloc(1000),
    randomData(1000, 4),
  ]
}

function* singles(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at++) yield data.subarray(at, at + 1)
}

function assertSame(actual: Buffer, expected: Buffer, what: string): void {
  assert(actual.equals(expected), `${what} differ: ${actual.length} bytes instead of ${expected.length}`)
}
