import { execFileSync } from 'node:child_process'
import { expect } from 'vitest'
import { needsTool } from '../../../test/servers/needs.js'
import { randomData, rowData, StageBench } from '../../testing/stage-bench.js'
import { zstd } from './stage.js'

const keys = { identities: () => Promise.resolve([]), passphrase: () => Promise.resolve(undefined) }
const bench = new StageBench(zstd.create(undefined, keys))
const program = (args: readonly string[], input: Buffer, name = 'zstd') =>
  execFileSync(name, args, { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'ignore'] })

needsTool('zstd').describe('with the zstd program', () => {
  const { it } = needsTool('zstd')

  it('it reads what is written here, as one file', async () => {
    for (const data of [Buffer.alloc(0), Buffer.from('a'), rowData(5_000_000), randomData(3_000_001)]) {
      const { bytes } = await bench.encode(data)
      expect(program(['-d', '-c'], bytes).equals(data)).toBe(true)
    }
  })

  it('every level is written, the highest smallest', async () => {
    const data = rowData(1_200_000)
    const sizes: number[] = []
    for (const level of [1, 3, 12, 19]) {
      const { bytes } = await new StageBench(zstd.create({ level }, keys)).encode(data)
      expect(program(['-d', '-c'], bytes).equals(data)).toBe(true)
      sizes.push(bytes.length)
    }
    expect(new Set(sizes).size).toBe(4)
    expect(sizes.indexOf(Math.min(...sizes))).toBe(3)
  })

  const ways: Record<string, readonly string[]> = {
    'without a content size': [],
    'without a checksum': ['--no-check'],
    'made on several threads': ['-T2', '-B1MiB'],
    'with a long window': ['--long=27'],
    'at the highest level': ['--ultra', '-22'],
    rsyncable: ['-T2', '--rsyncable'],
  }
  for (const [name, args] of Object.entries(ways)) {
    it(`reads a file ${name}`, async () => {
      for (const data of [Buffer.alloc(0), Buffer.from('a'), rowData(300_000)])
        expect((await bench.decode(program(['-c', ...args], data), {})).equals(data)).toBe(true)
    })
  }

  it('reads a large file, of one frame, which is streamed', async () => {
    const data = rowData(40_000_000)
    for (const args of [[], [`--stream-size=${data.length}`], ['--long=27']])
      expect((await bench.decode(program(['-c', ...args], data), {})).equals(data)).toBe(true)
  })

  it('reads files that were joined, some of them large', async () => {
    const parts = [
      rowData(100),
      rowData(50_000_000),
      Buffer.alloc(0),
      randomData(40_000_000),
      rowData(3_000_000),
    ]
    const joined = Buffer.concat(parts.map((part) => program(['-c'], part)))
    expect((await bench.decode(joined, {})).equals(Buffer.concat(parts))).toBe(true)
  })

  it('FAILURES 16: a large file that is cut or changed is an error', async () => {
    const data = randomData(40_000_000)
    const bytes = program(['-c'], data)
    const cut = bench.decode(bytes.subarray(0, 30_000_000), {})
    await expect(cut).rejects.toMatchObject({ code: 'integrity.truncated' })
    const withoutChecksum = bench.decode(bytes.subarray(0, -4), {})
    await expect(withoutChecksum).rejects.toMatchObject({ code: 'integrity.truncated' })
    bytes[20_000_000] = (bytes[20_000_000] as number) ^ 1
    await expect(bench.decode(bytes, {})).rejects.toMatchObject({ code: 'integrity.checksum' })
  })

  it('FAILURES 16: a small file with a changed bit fails by its checksum', async () => {
    const bytes = program(['-c'], randomData(100_000))
    bytes[50_000] = (bytes[50_000] as number) ^ 1
    await expect(bench.decode(bytes, {})).rejects.toMatchObject({ code: 'integrity.checksum' })
  })
})

needsTool('pzstd').it('reads what pzstd writes: frames with skippable ones between', async () => {
  const data = rowData(20_000_000)
  const bytes = program(['-c', '-p', '2'], data, 'pzstd')
  expect((await bench.decode(bytes, {})).equals(data)).toBe(true)
})
