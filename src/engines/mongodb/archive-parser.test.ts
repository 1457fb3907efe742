import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { needsSamples, samplesFolder } from '../../../test/servers/needs.js'
import { blockHeader, preludeBytes, terminator, type ArchivedCollection } from './archive.js'
import { ArchiveParser, type ArchiveWatcher } from './archive-parser.js'
import { ArchiveWriter } from './archive-writer.js'
import { Crc64 } from './crc64.js'
import { mongodbArchive } from './format-archive.js'

const collection = (name: string, type = 'collection'): ArchivedCollection => ({
  database: 'shop',
  name,
  type,
  metadata: '{"indexes":[]}',
})

/** A document of so many bytes, of which the parser may know no more than that. */
function documentOf(length: number, fill: number): Buffer {
  const document = Buffer.alloc(length, fill)
  document.writeInt32LE(length)
  document[length - 1] = 0
  return document
}

function archiveOf(
  contents: readonly (readonly [ArchivedCollection, readonly (readonly Buffer[])[]])[],
): Buffer {
  const writer = new ArchiveWriter(
    { serverVersion: '7.0.0', toolVersion: 'holdfast', collections: contents.map(([each]) => each) },
    2,
  )
  const rounds = Math.max(0, ...contents.map(([, batches]) => batches.length))
  for (let round = 0; round < rounds; round++)
    for (const [each, batches] of contents) writer.documents(each, batches[round] ?? [])
  for (const [each] of contents) writer.end(each)
  return Buffer.concat([...writer.take(), writer.rest()])
}

/** Pushes pieces of memory that is overwritten afterwards. */
function parse(bytes: Buffer, step: number, watcher: ArchiveWatcher = {}): void {
  const parser = new ArchiveParser(watcher)
  const memory = Buffer.alloc(step)
  for (let at = 0; at < bytes.length; at += step) {
    parser.push(memory.subarray(0, bytes.copy(memory, 0, at)))
    memory.fill(0xaa)
  }
  parser.end()
}

/** The documents of each collection, put together from what is shown. */
function collected(bytes: Buffer, step: number) {
  const found = new Map<string, { bytes: Buffer; documents: number; ended: number }>()
  parse(bytes, step, {
    prelude: ({ collections }) => {
      for (const { name } of collections) found.set(name, { bytes: Buffer.alloc(0), documents: 0, ended: -1 })
    },
    documents: ({ collection: { name } }, run) => {
      const entry = found.get(name)
      if (entry === undefined) throw new Error('not announced')
      if (run.documents > 0) expect(run.bytes[run.wholeBytes - 1]).toBe(0)
      entry.bytes = Buffer.concat([entry.bytes, run.bytes])
      entry.documents += run.documents
    },
    collectionEnd: ({ collection: { name }, documents }) => {
      const entry = found.get(name)
      if (entry !== undefined) entry.ended = documents
    },
  })
  return found
}

const code = (work: () => void) => {
  try {
    work()
    return 'taken'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

it('the checksum is CRC-64/XZ, in pieces of any size', () => {
  const check = new Crc64()
  check.push(Buffer.from('123456789'))
  expect(BigInt.asUintN(64, check.digest())).toBe(0x995dc9bbdf1939fan)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      const [whole, parts] = [new Crc64(), new Crc64()]
      whole.push(bytes)
      parts.push(bytes.subarray(0, cut))
      parts.push(bytes.subarray(cut))
      expect(parts.digest()).toBe(whole.digest())
    }),
  )
})

it('what is written is read again, whatever the pieces', () => {
  const batches = fc.array(
    fc.array(
      fc.integer({ min: 5, max: 60 }).map((length) => documentOf(length, length % 251)),
      { maxLength: 6 },
    ),
    { maxLength: 3 },
  )
  fc.assert(
    fc.property(fc.array(batches, { maxLength: 4 }), fc.integer({ min: 1, max: 200 }), (contents, step) => {
      const named = contents.map((each, index) => [collection(`c${index}`), each] as const)
      const found = collected(archiveOf(named), step)
      for (const [{ name }, each] of named) {
        const documents = each.flat()
        expect(found.get(name)).toEqual({
          bytes: Buffer.concat(documents),
          documents: documents.length,
          ended: documents.length,
        })
      }
    }),
  )
})

const small = archiveOf([
  [collection('a'), [[documentOf(20, 1), documentOf(5, 0)], [documentOf(9, 3)]]],
  [collection('b'), [[documentOf(30, 2)]]],
  [collection('view', 'view'), []],
  [collection('ts', 'timeseries'), [[documentOf(12, 9)]]],
])

it('knows its head, and takes what is whole', () => {
  expect(mongodbArchive.recognises(small)).toBe(true)
  expect(mongodbArchive.recognises(Buffer.from('PGDMP'))).toBe(false)
  expect(mongodbArchive.recognises(small.subarray(0, 3))).toBe(false)
  expect(code(() => parse(small, 7))).toBe('taken')
})

it('FAILURES 3: refuses every cut', () => {
  for (let cut = 0; cut < small.length; cut++) {
    expect(code(() => parse(small.subarray(0, cut), 11))).toMatch(/^integrity\.(?:truncated|empty)$/u)
  }
})

it('FAILURES 16: refuses what follows the end', () => {
  for (const tail of [Buffer.of(0), terminator, documentOf(5, 0), small, blockHeader('shop', 'a')]) {
    expect(code(() => parse(Buffer.concat([small, tail]), 64))).toMatch(/^integrity\./u)
  }
})

it('FAILURES 16: notices every changed byte of the documents', () => {
  const document = documentOf(40, 7)
  const bytes = archiveOf([[collection('a'), [[document]]]])
  const start = bytes.indexOf(document)
  for (let at = start; at < start + document.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(code(() => parse(changed, 32))).toMatch(/^integrity\./u)
  }
})

it('FAILURES 20: refuses lengths that no document has, without asking for the memory', () => {
  const head = preludeBytes({ serverVersion: '', toolVersion: '', collections: [collection('a')] }, 1)
  for (const length of [0, 4, -2, 0x7fffffff, 16 * 1024 * 1024 + 1]) {
    const claim = Buffer.alloc(4)
    claim.writeInt32LE(length)
    expect(code(() => parse(Buffer.concat([head, claim]), 64))).toBe('integrity.format')
    expect(code(() => parse(Buffer.concat([head, blockHeader('shop', 'a'), claim]), 64))).toBe(
      'integrity.format',
    )
  }
})

it('FAILURES 19: refuses another version of the format', () => {
  const bytes = Buffer.from(small)
  bytes.write('1', bytes.indexOf('0.1\0'))
  expect(code(() => parse(bytes, 64))).toBe('integrity.newer-format')
})

it('refuses documents of a collection that is not announced, or has ended', () => {
  const head = preludeBytes({ serverVersion: '', toolVersion: '', collections: [collection('a')] }, 1)
  const stranger = Buffer.concat([head, blockHeader('shop', 'b'), terminator])
  expect(code(() => parse(stranger, 64))).toBe('integrity.format')
  const again = Buffer.concat([small, blockHeader('shop', 'b'), documentOf(30, 2), terminator])
  expect(code(() => parse(again, 64))).toBe('integrity.format')
})

interface CorpusFile {
  readonly description: string
  readonly valid?: readonly { readonly canonical_bson: string }[]
}

needsSamples().it('every document of the public BSON corpus passes an archive byte for byte', () => {
  const folder = join(samplesFolder, 'bson-corpus')
  const documents = readdirSync(folder).flatMap((file) => {
    const { valid = [] } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CorpusFile
    return valid.map((each) => Buffer.from(each.canonical_bson, 'hex'))
  })
  expect(documents.length).toBeGreaterThan(300)
  const found = collected(archiveOf([[collection('corpus'), [documents]]]), 61)
  expect(found.get('corpus')?.bytes.equals(Buffer.concat(documents))).toBe(true)
  expect(found.get('corpus')?.documents).toBe(documents.length)
})
