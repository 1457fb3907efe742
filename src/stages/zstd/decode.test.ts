import { Readable, Writable } from 'node:stream'
import * as zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { connect } from '../../streams/connect.js'
import { context, rowData, StageBench } from '../../testing/stage-bench.js'
import { zstd } from './stage.js'

const keys = { identities: () => Promise.resolve([]), passphrase: () => Promise.resolve(undefined) }
const stage = zstd.create(undefined, keys)
const bench = new StageBench(stage)
const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/** A frame with a window of 8 MiB of blocks that each repeat one byte 131072 times. */
function* bomb(blocks: number): Generator<Buffer> {
  yield Buffer.concat([magic, Buffer.from([0x00, 13 << 3])])
  const block = (last: number) => {
    const header = Buffer.alloc(4)
    header.writeUIntLE(last | (1 << 1) | ((128 * 1024) << 3), 0, 3)
    return header
  }
  const many = Buffer.concat(Array.from({ length: 1000 }, () => block(0)))
  for (let left = blocks - 1; left > 0; left -= 1000) yield many.subarray(0, 4 * Math.min(left, 1000))
  yield block(1)
}

/** A skippable frame. */
function skippable(content: Buffer, claimed = content.length): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(0x184d2a53, 0)
  header.writeUInt32LE(claimed, 4)
  return Buffer.concat([header, content])
}

describe('frames', () => {
  it('skippable ones are passed over, before, between and after', async () => {
    const data = rowData(10_000)
    const { bytes } = await bench.encode(data)
    const skip = skippable(Buffer.alloc(3_000_000, 'x'))
    expect(await bench.decode(Buffer.concat([skip, bytes, skip, bytes, skip]), {})).toEqual(
      Buffer.concat([data, data]),
    )
  })

  it('FAILURES 16: a skippable frame that is cut is an error', async () => {
    const { bytes } = await bench.encode(rowData(100))
    const cut = bench.decode(Buffer.concat([bytes, skippable(Buffer.alloc(10), 4_000_000_000)]), {})
    await expect(cut).rejects.toMatchObject({ code: 'integrity.truncated' })
  })

  it('FAILURES 16: data cut within or between frames are truncated, by what the manifest says', async () => {
    const { bytes, facts } = await bench.encode(rowData(9_000_000))
    expect(facts).toEqual({ bytes: 9_000_000 })
    for (let cut = 0; cut < bytes.length; cut += 49_973)
      await expect(bench.decode(bytes.subarray(0, cut), facts)).rejects.toMatchObject({
        code: 'integrity.truncated',
      })
    const firstFrame = bytes.indexOf(magic, 4)
    const halved = bench.decode(bytes.subarray(0, firstFrame), facts)
    await expect(halved).rejects.toMatchObject({
      code: 'integrity.truncated',
      message: 'the zstd data hold 1048576 of 9000000 bytes',
    })
  })

  it('FAILURES 16: something after the frames is an error', async () => {
    const { bytes } = await bench.encode(rowData(100))
    for (const tail of ['x', '\0', 'more than four', '(\xb5/'])
      await expect(
        bench.decode(Buffer.concat([bytes, Buffer.from(tail, 'latin1')]), {}),
      ).rejects.toMatchObject({
        code: tail.startsWith('(') ? 'integrity.truncated' : 'integrity.format',
      })
  })

  it('refuses a manifest whose length is not one', async () => {
    const { bytes } = await bench.encode(rowData(100))
    for (const length of [-1, 1.5, '100', null])
      await expect(bench.decode(bytes, { bytes: length })).rejects.toMatchObject({
        code: 'integrity.manifest',
      })
  })

  it('a frame that needs a dictionary is refused', async () => {
    const frame = Buffer.concat([magic, Buffer.from([0x21, 7, 1, 0x09, 0, 0, 65])])
    await expect(bench.decode(frame, {})).rejects.toMatchObject({
      message: expect.stringContaining('dictionary') as string,
    })
  })
})

describe('hostile frames', () => {
  it('FAILURES 20: a content size that cannot be is not believed', async () => {
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(2n ** 60n)
    const frame = Buffer.concat([magic, Buffer.from([0xc0, 13 << 3]), size, Buffer.from([0x03, 0, 0, 65])])
    const before = process.memoryUsage.rss()
    await expect(bench.decode(frame, {})).rejects.toMatchObject({ code: 'integrity.format' })
    expect(process.memoryUsage.rss() - before).toBeLessThan(50e6)
  })

  it('FAILURES 20: a window of more than 128 MiB is refused before anything is allocated', async () => {
    for (const header of [
      [0x00, (17 << 3) | 1],
      [0x00, 0xff],
      [0xe0, ...Buffer.from('ffffffffffffff0f', 'hex')],
    ])
      await expect(bench.decode(Buffer.concat([magic, Buffer.from(header)]), {})).rejects.toMatchObject({
        code: 'integrity.format',
        message: expect.stringContaining('window') as string,
      })
  })

  it('FAILURES 20: a block larger than the format allows is refused', async () => {
    const block = Buffer.alloc(3)
    block.writeUIntLE(1 | (1 << 1) | ((129 * 1024) << 3), 0, 3)
    const frame = Buffer.concat([magic, Buffer.from([0x00, 13 << 3]), block, Buffer.from('a')])
    await expect(bench.decode(frame, {})).rejects.toMatchObject({ code: 'integrity.format' })
  })

  it('FAILURES 20: frames that grow without bound come as fast as they are taken, in bounded memory', async () => {
    // 10 GB in one frame; and 400 frames of 32 MiB each, which are decompressed in one piece.
    const oneFrame = () => bomb(80_000)
    const manyFrames = function* () {
      for (let frame = 0; frame < 400; frame++) yield* bomb(256)
    }
    for (const source of [oneFrame, manyFrames]) {
      const before = process.memoryUsage.rss()
      let most = 0
      let taken = 0
      const enough = new Error('enough')
      const sink = new Writable({
        write(chunk: Buffer, _encoding, done) {
          taken += chunk.length
          most = Math.max(most, process.memoryUsage.rss() - before)
          if (taken > 300e6) done(enough)
          else setTimeout(done, 1)
        },
      })
      const { signal } = context()
      const decoding = connect([Readable.from(source()), stage.decode(context(), {}), sink], signal)
      await expect(decoding).rejects.toBe(enough)
      expect(most).toBeLessThan(200e6)
    }
  })
})

it('without the zstd program a large frame of another tool needs a Node that can stream it', async () => {
  const path = process.env['PATH']
  process.env['PATH'] = ''
  try {
    const decoding = bench.decode(Buffer.concat([...bomb(300)]), {})
    if ('createZstdDecompress' in zlib) expect((await decoding).length).toBe(300 * 128 * 1024)
    else
      await expect(decoding).rejects.toMatchObject({
        code: 'tool.missing',
        hint: expect.stringContaining('22.15') as string,
      })
  } finally {
    process.env['PATH'] = path
  }
})
