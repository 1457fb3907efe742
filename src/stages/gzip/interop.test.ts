import { execFileSync } from 'node:child_process'
import { Readable, Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { needsTool } from '../../../test/servers/needs.js'
import { connect } from '../../streams/connect.js'
import { context, randomData, rowData, StageBench } from '../../testing/stage-bench.js'
import { gzip } from './stage.js'

const keys = { identities: () => Promise.resolve([]), passphrase: () => Promise.resolve(undefined) }
const stage = gzip.create(undefined, keys)
const bench = new StageBench(stage)
const program = (args: readonly string[], input: Buffer) =>
  execFileSync('gzip', args, { input, maxBuffer: 2 ** 30 })

needsTool('gzip').describe('with the gzip program', () => {
  it('it reads what is written here, as one file', async () => {
    for (const data of [Buffer.alloc(0), Buffer.from('a'), rowData(5_000_000), randomData(3_000_001)]) {
      const { bytes } = await bench.encode(data)
      expect(program(['-dc'], bytes).equals(data)).toBe(true)
      expect(() => program(['-t'], bytes)).not.toThrow()
    }
  })

  it('every level is written, and a higher one is smaller', async () => {
    const data = rowData(1_500_000)
    const sizes: number[] = []
    for (const level of [1, 6, 9]) {
      const { bytes } = await new StageBench(gzip.create({ level }, keys)).encode(data)
      expect(program(['-dc'], bytes).equals(data)).toBe(true)
      sizes.push(bytes.length)
    }
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
    expect(new Set(sizes).size).toBe(3)
  })

  it('reads what it writes, also several files joined', async () => {
    const parts = [rowData(3_000_000), Buffer.alloc(0), randomData(100), Buffer.from('a')]
    const joined = Buffer.concat(parts.map((part, index) => program([`-${(index % 9) + 1}`, '-c'], part)))
    expect((await bench.decode(joined, {})).equals(Buffer.concat(parts))).toBe(true)
  })
})

describe('damage', () => {
  const data = rowData(3_000_000)

  it('FAILURES 16: data cut within or between members are truncated, by what the manifest says', async () => {
    const { bytes, facts } = await bench.encode(data)
    expect(facts).toEqual({ bytes: data.length })
    for (let cut = 0; cut < bytes.length; cut += 49_999)
      await expect(bench.decode(bytes.subarray(0, cut), facts)).rejects.toMatchObject({
        code: 'integrity.truncated',
      })
    const secondMember = bytes.indexOf(Buffer.from([0x1f, 0x8b, 8, 0]), 10)
    const between = bench.decode(bytes.subarray(0, secondMember), facts)
    await expect(between).rejects.toMatchObject({ code: 'integrity.truncated' })
  })

  it('FAILURES 16: a changed bit fails by the checksum', async () => {
    const bytes = gzipSync(randomData(100_000), { level: 0 })
    bytes[50_000] = (bytes[50_000] as number) ^ 1
    await expect(bench.decode(bytes, {})).rejects.toMatchObject({ code: 'integrity.checksum' })
  })

  it('FAILURES 16: something after the data is an error, but for padding', async () => {
    const bytes = gzipSync(data)
    const padded = Buffer.concat([bytes, Buffer.alloc(5_000_000)])
    expect((await bench.decode(padded, {})).equals(data)).toBe(true)
    for (const tail of ['xy', 'garbage', '\0\0garbage', `${'\0'.repeat(2_000_000)}x`])
      await expect(bench.decode(Buffer.concat([bytes, Buffer.from(tail)]), {})).rejects.toMatchObject({
        code: 'integrity.format',
      })
  })

  it('FAILURES 20: data that grow a thousandfold come as fast as they are taken, in bounded memory', async () => {
    const part = gzipSync(Buffer.alloc(50e6))
    const before = process.memoryUsage.rss()
    let most = 0
    const sink = new Writable({
      write(_chunk, _encoding, done) {
        most = Math.max(most, process.memoryUsage.rss() - before)
        setImmediate(done)
      },
    })
    const parts = Array.from({ length: 10 }, () => part)
    await connect([Readable.from(parts), stage.decode(context(), {}), sink], context().signal)
    expect(most).toBeLessThan(120e6)
  })
})
