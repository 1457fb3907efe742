import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeader, isHeader } from './decode.js'
import { checksum, encodeHeader, endOfArchive, headerOf, largestHeader, type WrittenEntry } from './encode.js'
import { blockBytes, paddingOf, type TarEntry } from './entry.js'
import { tarFormat } from './format.js'
import { formatPax, formatTime, parsePax, parseTime } from './pax.js'
import { TarScanner } from './scanner.js'

const name = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x2d : byte))))
const path = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map((names) =>
    Buffer.concat(names.flatMap((each, index) => (index === 0 ? [each] : [Buffer.from('/'), each]))),
  )
const facts = {
  path,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  modifiedNs: fc.bigInt({ min: -(10n ** 19n), max: 10n ** 20n }),
}
const entry: fc.Arbitrary<WrittenEntry> = fc.oneof(
  fc.record({ ...facts, type: fc.constant('file' as const), size: fc.nat(2000) }),
  fc.record({ ...facts, type: fc.constant('folder' as const), size: fc.constant(0) }),
  fc.record({
    ...facts,
    type: fc.constantFrom('symlink' as const, 'hardlink' as const),
    size: fc.constant(0),
    link: path,
  }),
)

/** An archive of entries whose files hold one byte, over and over. */
function archiveOf(entries: readonly WrittenEntry[]): Buffer {
  return Buffer.concat([
    ...entries.flatMap((each) => [
      headerOf(each),
      Buffer.alloc(each.size, 0x61),
      Buffer.alloc(paddingOf(each.size)),
    ]),
    endOfArchive,
  ])
}

function scanned(chunks: readonly Uint8Array[]) {
  const scanner = new TarScanner()
  const found: {
    readonly entry: TarEntry
    readonly parts: { readonly at: number; readonly bytes: Buffer }[]
  }[] = []
  for (const chunk of chunks) {
    // The chunk's memory is used again.
    const lent = Buffer.from(chunk)
    for (const event of scanner.push(lent)) {
      if (event.kind === 'entry') found.push({ entry: event.entry, parts: [] })
      if (event.kind === 'data') found.at(-1)?.parts.push({ at: event.at, bytes: Buffer.from(event.bytes) })
    }
    lent.fill(0xff)
  }
  scanner.end()
  return found
}

function checkStructure(chunks: readonly Uint8Array[]): void {
  const checker = tarFormat.checker()
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk)
    checker.push(lent)
    lent.fill(0xff)
  }
  checker.end()
}

describe('an archive', () => {
  it('gives back every entry as it was, however its bytes are cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), fc.integer({ min: 1, max: 3000 }), (entries, length) => {
        const archive = archiveOf(entries)
        const chunks: Buffer[] = []
        for (let at = 0; at < archive.length; at += length) chunks.push(archive.subarray(at, at + length))
        const found = scanned(chunks)
        expect(found.map((each) => each.entry)).toEqual(entries)
        expect(found.map(({ parts }) => Buffer.concat(parts.map(({ bytes }) => bytes)).length)).toEqual(
          entries.map(({ size }) => size),
        )
        checkStructure(chunks)
        expect(() => checkStructure(chunks.slice(0, -Math.ceil(1024 / length) - 1))).toThrow(
          expect.objectContaining({ code: 'integrity.truncated' }),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('FAILURES 3: cut anywhere, it is not taken for a whole one', () => {
    const archive = archiveOf([
      { path: Buffer.from('a'), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 700, modifiedNs: 1n },
      { path: Buffer.from('b'), type: 'folder', mode: 0o755, uid: 0, gid: 0, size: 0, modifiedNs: 0n },
    ])
    for (let length = 0; length < archive.length; length += 100) {
      const checker = tarFormat.checker()
      checker.push(archive.subarray(0, length))
      expect(() => checker.end()).toThrow(expect.objectContaining({ code: 'integrity.truncated' }))
    }
    const checker = tarFormat.checker()
    checker.push(archive)
    checker.end()
  })

  it('with a changed bit in a header is damaged', () => {
    const archive = archiveOf([
      { path: Buffer.from('name'), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 3, modifiedNs: 0n },
    ])
    archive[2] = (archive[2] as number) ^ 4
    expect(() => tarFormat.checker().push(archive)).toThrow(
      expect.objectContaining({ code: 'integrity.format' }),
    )
  })

  it('FAILURES 20: absurd sizes are refused before memory is taken for them', () => {
    const huge = { path: Buffer.from('x'), type: 'file' as const, mode: 0, uid: 0, gid: 0, modifiedNs: 0n }
    const meta = headerOf({ ...huge, size: 2 ** 30 })
    meta.write('L', 156, 'latin1')
    meta.write(`${checksum(meta).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    expect(() => tarFormat.checker().push(meta)).toThrow(
      expect.objectContaining({ code: 'integrity.format' }),
    )
  })

  it('is recognised by its first header; two blocks of zeros are an empty one', () => {
    expect(
      tarFormat.recognises(
        headerOf({
          path: Buffer.from('x'),
          type: 'folder',
          mode: 0,
          uid: 0,
          gid: 0,
          size: 0,
          modifiedNs: 0n,
        }),
      ),
    ).toBe(true)
    expect(tarFormat.recognises(endOfArchive)).toBe(true)
    expect(tarFormat.recognises(Buffer.alloc(1024, 'no archive'))).toBe(false)
    expect(tarFormat.recognises(Buffer.from('short'))).toBe(false)
  })
})

describe('a header', () => {
  it('holds a size over 8 GiB', () => {
    const size = 9 * 2 ** 30
    const header = headerOf({
      path: Buffer.from('x'),
      type: 'file',
      mode: 0o600,
      uid: 0,
      gid: 0,
      size,
      modifiedNs: 0n,
    })
    const [event] = new TarScanner().push(header)
    expect(event).toMatchObject({ kind: 'entry', entry: { size } })
  })

  it('is never longer than what is set aside for it', () => {
    const long = Buffer.alloc(4095, 0xff)
    const buffer = Buffer.alloc(largestHeader)
    const bytes = encodeHeader(
      {
        path: long,
        link: long,
        type: 'symlink',
        mode: 0o7777,
        uid: 2 ** 32,
        gid: 2 ** 32,
        size: 0,
        modifiedNs: -1n,
      },
      buffer,
      0,
    )
    expect(bytes % blockBytes).toBe(0)
    expect(bytes).toBeLessThan(largestHeader)
  })

  it('has the sum of its bytes for a checksum, that of its own field for spaces', () => {
    const block = fc.oneof(
      fc.uint8Array({ minLength: blockBytes, maxLength: blockBytes }),
      fc.nat(255).map((byte) => new Uint8Array(blockBytes).fill(byte)),
    )
    fc.assert(
      fc.property(block, fc.nat(9), (bytes, before) => {
        const sum = [...bytes].reduce((total, byte, at) => total + (at < 148 || at > 155 ? byte : 0x20), 0)
        expect(checksum(Buffer.concat([Buffer.alloc(before, 1), bytes]), before)).toBe(sum)
      }),
    )
  })

  it('may have numbers in base 256, and a checksum of signed bytes', () => {
    const block = headerOf({
      path: Buffer.from([0xe9]),
      type: 'file',
      mode: 0,
      uid: 0,
      gid: 0,
      size: 0,
      modifiedNs: 0n,
    })
    Buffer.from('800000000000000300000000', 'hex').copy(block, 124)
    Buffer.from('ffffffffffffffff', 'hex').copy(block, 108)
    const signed = [...block.keys()].filter((at) => at < 148 || at > 155)
    const sum = signed.reduce((total, at) => total + block.readInt8(at), 8 * 0x20)
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    expect(isHeader(block)).toBe(true)
    expect(decodeHeader(block)).toMatchObject({ size: 3 * 2 ** 32, about: { uid: -1 } })
  })
})

describe('extended records', () => {
  it('count their own length', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,12}$/u), fc.uint8Array({ maxLength: 1100 }), (key, value) => {
        const bytes = Buffer.from(value)
        const record = Buffer.from(formatPax(key, bytes.toString('latin1')), 'latin1')
        expect(record.length).toBe(Number.parseInt(record.toString('latin1'), 10))
        expect(parsePax(Buffer.concat([record, record]))).toEqual([
          [key, bytes],
          [key, bytes],
        ])
      }),
    )
  })

  it.each(['5 a=b\n', '99 a=b\n', 'x a=b\n', '4 a\n', '-6 a=b\n'])(
    'that are damaged are refused: %j',
    (text) => {
      expect(() => parsePax(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'integrity.format' }))
    },
  )

  it('keep times to the nanosecond', () => {
    fc.assert(
      fc.property(facts.modifiedNs, (time) => {
        expect(parseTime(formatTime(time))).toBe(time)
      }),
    )
    expect(parseTime('12.5')).toBe(12_500_000_000n)
    expect(parseTime('soon')).toBeUndefined()
  })
})
