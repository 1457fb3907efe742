import { execFile } from 'node:child_process'
import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { HoldfastError } from '../../errors.js'
import { archiveMagic, ArchiveHeadReader, type ArchiveEntry, type ArchiveHeader } from './archive-toc.js'
import { customFormat } from './format-custom.js'
import { ArchiveContents } from './restore-contents.js'
import { TestDatabase } from './test-fixture.js'

const server = needsServer('postgresql')
const run = promisify(execFile)

function check(bytes: Buffer, sizes: readonly number[] = [65_536]): void {
  const checker = customFormat.checker()
  // Overwritten for each piece, as the memory of chunks is.
  const memory = Buffer.alloc(Math.max(...sizes))
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[piece % sizes.length] ?? 1
    checker.push(memory.subarray(0, bytes.copy(memory, 0, at, at + size)))
    at += size
  }
  checker.end()
}

/** The code of what a check throws, or `whole`. */
function verdict(bytes: Buffer): string {
  try {
    check(bytes)
    return 'whole'
  } catch (error) {
    if (error instanceof HoldfastError) return error.code
    throw error
  }
}

/** One archive by pg_dump itself. */
async function archive(database: TestDatabase, ...args: readonly string[]): Promise<Buffer> {
  const { binDirectory, host, port, user, password } = database.server
  const { stdout } = await run(
    join(binDirectory, 'pg_dump'),
    [
      '--format=custom',
      `--host=${host}`,
      `--port=${port}`,
      `--username=${user}`,
      `--dbname=${database.name}`,
      ...args,
    ],
    { env: { ...process.env, PGPASSWORD: password }, encoding: 'buffer', maxBuffer: 1024 ** 3 },
  )
  return stdout
}

server.describe('the custom format', () => {
  let database: TestDatabase
  const archives = new Map<string, Buffer>()
  const get = (name: string) => archives.get(name) ?? Buffer.alloc(0)

  beforeAll(async () => {
    database = await new TestDatabase(server.server()).make()
    await database.execute(`
      CREATE TABLE empty (i int);
      CREATE TABLE narrow (i int); INSERT INTO narrow SELECT generate_series(1, 3000);
      CREATE TABLE "wide ☃" (t text); INSERT INTO "wide ☃" SELECT repeat(md5(i::text), 500) FROM generate_series(1, 20) i;
      CREATE VIEW seen AS SELECT * FROM narrow;
      SELECT lo_from_bytea(1000, decode(repeat('ab', 70000), 'hex')), lo_create(1001), lo_from_bytea(1002, 'x');`)
    archives.set('uncompressed', await archive(database, '--compress=0'))
    archives.set('compressed', await archive(database))
    archives.set('small', await archive(database, '--compress=0', '--table=empty'))
    archives.set('without data', await archive(database, '--schema-only'))
    archives.set('inserts', await archive(database, '--compress=0', '--inserts'))
  })
  afterAll(() => database.drop())

  it.each(['uncompressed', 'compressed', 'small', 'without data', 'inserts'])(
    'takes a whole archive: %s',
    (name) => {
      expect(get(name).length).toBeGreaterThan(500)
      expect(customFormat.recognises(get(name).subarray(0, 512))).toBe(true)
      check(get(name))
    },
  )

  it('reads an archive in pieces of any size', () => {
    for (const name of ['uncompressed', 'compressed']) {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }), (sizes) => {
          check(get(name), sizes)
        }),
        { numRuns: 20 },
      )
    }
    check(get('small'), [1])
    check(get('compressed').subarray(0), [3])
  })

  it('FAILURES 3: refuses an archive that is cut, at every byte', () => {
    const small = get('small')
    for (let cut = 0; cut < small.length; cut++)
      expect(verdict(small.subarray(0, cut))).toBe('integrity.truncated')
    for (const name of ['uncompressed', 'compressed', 'inserts']) {
      const bytes = get(name)
      for (let cut = 0; cut < bytes.length; cut += 997)
        expect(verdict(bytes.subarray(0, cut))).toBe('integrity.truncated')
      for (let cut = bytes.length - 300; cut < bytes.length; cut++)
        expect(verdict(bytes.subarray(0, cut))).toBe('integrity.truncated')
    }
  })

  it('says where an archive ends', () => {
    const bytes = get('uncompressed')
    const at = (text: string) => bytes.lastIndexOf(text)
    const upTo = (cut: number) => () => check(bytes.subarray(0, cut))
    expect(upTo(3)).toThrowError(/ends inside its header/u)
    expect(upTo(500)).toThrowError(/ends inside its table of contents/u)
    expect(upTo(at('1500\n'))).toThrowError(/ends inside TABLE DATA public\.narrow/u)
    expect(upTo(at('3000\n') + 20)).toThrowError(
      /ends before TABLE DATA public\.wide ☃; \d blocks of data are missing/u,
    )
    expect(upTo(bytes.length - 1)).toThrowError(/ends inside BLOBS BLOBS/u)
  })

  it('refuses what follows the end, a block without an entry, and other formats', async () => {
    const bytes = get('uncompressed')
    expect(verdict(Buffer.concat([bytes, Buffer.from([0])]))).toBe('integrity.format')
    expect(verdict(Buffer.concat([bytes, bytes]))).toBe('integrity.format')
    const folder = await mkdtemp(join(tmpdir(), 'format-test-'))
    try {
      const tar = await archive(database, '--format=tar')
      const plain = await archive(database, '--format=plain')
      for (const other of [tar, plain, Buffer.from('PGDMPPPPPPPPPPPPPPPPPPPP')]) {
        expect(customFormat.recognises(other.subarray(0, 512))).toBe(false)
        expect(verdict(other)).toMatch(/^integrity\.(format|newer-format)$/u)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('FAILURES 20: never takes a damaged archive for an error of its own', () => {
    const bytes = get('small')
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ flip
        expect(verdict(damaged)).toMatch(/^(whole|integrity\.(format|truncated|newer-format))$/u)
      }),
      { numRuns: 500 },
    )
  })

  it('reads the table of contents as pg_restore does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'format-test-'))
    try {
      const file = join(folder, 'archive')
      await writeFile(file, get('uncompressed'))
      const { stdout } = await run(join(server.server().binDirectory, 'pg_restore'), ['--list', file])
      const listed = stdout.split('\n').filter((line) => /^\d+;/u.test(line))
      const entries: ArchiveEntry[] = []
      let header: ArchiveHeader | undefined
      new ArchiveHeadReader(
        (read) => (header = read),
        (entry) => entries.push(entry),
      ).push(get('uncompressed'))
      expect(stdout).toContain(`Dumped from database version: ${header?.serverVersion}`)
      expect(stdout).toContain(`Dumped by pg_dump version: ${header?.dumpVersion}`)
      expect(stdout).toContain(`dbname: ${header?.database}`)
      expect(stdout).toContain(`TOC Entries: ${header?.entries}`)
      for (const line of listed) {
        const id = Number(line.split(';')[0])
        const entry = entries.find(({ dumpId }) => dumpId === id)
        expect(line.replaceAll('?', '☃')).toContain(
          `${entry?.kind} ${entry?.schema || '-'} ${entry?.name} ${entry?.owner ?? ''}`,
        )
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('knows what a restore has to know beforehand', () => {
    const contents = new ArchiveContents()
    expect(contents.push(get('compressed'))).toBe(true)
    const result = contents.result()
    expect(result?.relations).toEqual([
      { kind: 'table', schema: 'public', name: 'empty' },
      { kind: 'table', schema: 'public', name: 'narrow' },
      { kind: 'view', schema: 'public', name: 'seen' },
      { kind: 'table', schema: 'public', name: 'wide ☃' },
    ])
    expect(result?.databaseOptions).toMatchObject({ ENCODING: 'UTF8' })
    expect([...(result?.owners ?? [])]).toEqual([server.server().user])
    expect(new ArchiveContents().result()).toBeUndefined()
  })
})

describe('an archive of another version', () => {
  const withVersion = (major: number, minor: number) =>
    Buffer.concat([archiveMagic, Buffer.from([major, minor, 0, 4, 8, 1]), Buffer.alloc(200)])

  it.each([
    [1, 17, 'integrity.newer-format'],
    [2, 0, 'integrity.newer-format'],
    [1, 11, 'integrity.format'],
  ])('%i.%i is refused clearly: %s', (major, minor, code) => {
    expect(verdict(withVersion(major, minor))).toBe(code)
  })
})
