import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { needsTool } from '../../test/servers/needs.js'
import { examine, newFolder, packTo, sh, treeOf, unpack } from './test-trees.js'
import { tarFormat } from './tar/format.js'

const onLinux = process.platform === 'linux'
const isRoot = process.geteuid?.() === 0

/** Any bytes but NUL and slash on Linux; elsewhere names are Unicode. */
const name = fc
  .oneof(
    fc.constantFrom(
      '-rf',
      '--',
      'a b',
      'new\nline',
      "it's",
      '"quoted"',
      'ünïcödé ✓',
      '*?[x]',
      '\\',
      'x'.repeat(200),
    ),
    fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  )
  .map((text) => Buffer.from(text))
const anyName = (
  onLinux ? fc.oneof(name, fc.uint8Array({ minLength: 1, maxLength: 255 }).map(Buffer.from)) : name
)
  .map((bytes) =>
    Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x2d : byte))).subarray(0, 255),
  )
  .filter((bytes) => !['.', '..'].includes(bytes.toString()))

interface Node {
  readonly name: Buffer
  readonly mode: number
  readonly seconds: number
  readonly kind:
    | { readonly file: Uint8Array }
    | { readonly link: Buffer }
    | { readonly again: number }
    | { readonly folder: readonly Node[] }
}

const { nodes } = fc.letrec<{ node: Node; nodes: readonly Node[] }>((tie) => ({
  nodes: fc.uniqueArray(tie('node'), {
    maxLength: 5,
    selector: (each) => each.name.toString('latin1'),
  }),
  node: fc.record({
    name: anyName,
    // Only root can read what nobody may.
    mode: fc.integer({ min: 0, max: 0o777 }).map((mode) => (isRoot ? mode : mode | 0o700)),
    seconds: fc.integer({ min: 0, max: 4_000_000_000_000 }).map((milliseconds) => milliseconds / 1000),
    kind: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ file: fc.uint8Array({ maxLength: 1500 }) }),
      fc.record({ link: anyName }),
      fc.record({ again: fc.nat(20) }),
      fc.record({ folder: tie('nodes') }),
    ),
  }),
}))

/** Makes a tree; a hard link is another name of one of the files that are there already. */
function makeTree(folder: Buffer, list: readonly Node[], files: Buffer[] = []): void {
  for (const { name: own, mode, seconds, kind } of list) {
    const path = Buffer.concat([folder, Buffer.from('/'), own])
    if ('link' in kind) {
      symlinkSync(kind.link, path)
      lutimesSync(path, seconds, seconds)
      continue
    }
    const other = 'again' in kind ? files[kind.again % Math.max(1, files.length)] : undefined
    if (other !== undefined) {
      linkSync(other, path)
      continue
    }
    if ('folder' in kind) {
      mkdirSync(path)
      makeTree(path, kind.folder, files)
    } else {
      writeFileSync(path, 'file' in kind ? kind.file : '')
      files.push(path)
    }
    chmodSync(path, mode)
    utimesSync(path, seconds, seconds)
  }
}

describe('any tree', () => {
  needsTool('tar').it(
    'comes back as it was, and GNU tar finds the same in its archive',
    async () => {
      const folder = await newFolder()
      let run = 0
      await fc.assert(
        fc.asyncProperty(nodes, async (list) => {
          const [source, target, archive] = ['source', 'target', 'archive'].map((each) =>
            join(folder, `${each}${run}`),
          )
          run += 1
          mkdirSync(source as string)
          mkdirSync(target as string)
          makeTree(Buffer.from(source as string), list)
          const facts = await packTo(archive as string, source as string)
          expect(facts).toMatchObject({ changed: 0, unreadable: 0, warnings: [] })
          await examine(archive as string, target as string, { linksOut: true })
          await unpack(archive as string, target as string, { linksOut: true })
          expect(treeOf(target as string)).toEqual(treeOf(source as string))
          // GNU tar compares names, contents, modes, times to the second, and links.
          sh(folder, `tar --compare --file ${archive} --directory ${source}`)
          const listed = sh(folder, `tar --list --quoting-style=escape --file ${archive}`)
            .trimEnd()
            .split('\n')
          expect(listed.length).toBe(facts.entries)
        }),
        { numRuns: 12 },
      )
    },
    180_000,
  )
})

/** The structure alone says that an archive is whole, and that it is not without its end. */
function checkWhole(archive: string): void {
  const bytes = readFileSync(archive)
  const end = bytes.findLastIndex((byte) => byte !== 0)
  const whole = tarFormat.checker()
  for (let at = 0; at < bytes.length; at += 4001) whole.push(bytes.subarray(at, at + 4001))
  whole.end()
  const cut = tarFormat.checker()
  cut.push(bytes.subarray(0, end))
  expect(() => cut.end()).toThrow(expect.objectContaining({ code: 'integrity.truncated' }))
}

describe('archives of other programs', () => {
  const formats = ['v7', 'ustar', 'oldgnu', 'gnu', 'posix']
  needsTool('tar').describe('GNU tar', () => {
    it.each(formats)('in format %s restore', async (format) => {
      const folder = await newFolder()
      const long = format === 'v7' ? 'name' : 'n'.repeat(90)
      sh(
        folder,
        `mkdir -p in/${long}/empty out; echo one > in/a; ln in/a in/${long}/b; ln -s a in/l
         ${format.endsWith('gnu') || format === 'posix' ? `mkdir in/${long}/${long}; echo two > in/${long}/${long}/${long}` : ''}
         chmod 640 in/a; find in -exec touch -h -d @1700000000 {} +; tar --format=${format} -C in -cf x.tar .`,
      )
      checkWhole(join(folder, 'x.tar'))
      await unpack(join(folder, 'x.tar'), join(folder, 'out'), { fresh: true })
      expect(treeOf(join(folder, 'out'))).toEqual(treeOf(join(folder, 'in')))
    })

    it.each(['--format=gnu', '--sparse-version=0.0', '--sparse-version=0.1', '--sparse-version=1.0'])(
      'sparse files come back: %s',
      async (option) => {
        const folder = await newFolder()
        sh(
          folder,
          `mkdir in out; truncate -s 3M in/holes
           for i in $(seq 0 39); do echo "data $i" | dd of=in/holes bs=64k seek=$i conv=notrunc status=none; done
           truncate -s 5M in/holes; truncate -s 1M in/empty; echo end > in/after
           tar --sparse ${option.startsWith('--format') ? option : `--format=posix ${option}`} -C in -cf x.tar .`,
        )
        expect(statSync(join(folder, 'x.tar')).size).toBeLessThan(2_000_000)
        checkWhole(join(folder, 'x.tar'))
        await unpack(join(folder, 'x.tar'), join(folder, 'out'))
        sh(folder, 'cmp in/holes out/holes && cmp in/empty out/empty && cmp in/after out/after')
      },
    )

    it('sizes over 8 GiB are read, in base 256 and in pax', async () => {
      const folder = await newFolder()
      sh(folder, 'mkdir in; truncate -s 9G in/huge')
      for (const format of ['gnu', 'posix']) {
        sh(folder, `tar --format=${format} --sparse -C in -cf ${format}.tar huge`)
        const { bytes } = await examine(join(folder, `${format}.tar`), folder, { fresh: true })
        expect(bytes).toBe(9 * 2 ** 30)
      }
    })
  })

  needsTool('bsdtar').it('bsdtar reads what is written here, and what it writes is read', async () => {
    const folder = await newFolder()
    const long = `${'ü'.repeat(60)}/${'y'.repeat(120)}`
    mkdirSync(join(folder, 'in', long), { recursive: true })
    writeFileSync(join(folder, 'in', long, 'file'), 'content')
    linkSync(join(folder, 'in', long, 'file'), join(folder, 'in/second'))
    symlinkSync('second', join(folder, 'in/link'))
    sh(folder, 'mkdir theirs ours; find in -exec touch -h -d @1700000000 {} +')
    await packTo(join(folder, 'ours.tar'), join(folder, 'in'))
    sh(folder, 'LC_ALL=C.UTF-8 bsdtar -C theirs -xpf ours.tar; touch -h -d @1700000000 theirs')
    expect(treeOf(join(folder, 'theirs'))).toEqual(treeOf(join(folder, 'in')))
    for (const format of ['pax', 'gnutar', 'ustar']) {
      // Names of more than 100 bytes are beyond ustar's first field, and stand in its prefix.
      const out = join(folder, `from-${format}`)
      mkdirSync(out)
      const source = format === 'ustar' ? 'plain' : 'in'
      if (format === 'ustar')
        sh(folder, 'mkdir plain; echo one > plain/a; touch -d @1700000000 plain/a plain')
      sh(folder, `LC_ALL=C.UTF-8 bsdtar --format ${format} -C ${source} -cf ${format}.tar .`)
      checkWhole(join(folder, `${format}.tar`))
      await unpack(join(folder, `${format}.tar`), out, { fresh: true })
      expect(treeOf(out)).toEqual(treeOf(join(folder, source)))
    }
  })

  needsTool('python3').it('Python reads what is written here, and what it writes is read', async () => {
    const folder = await newFolder()
    const long = `${'ü'.repeat(60)}/${'y'.repeat(120)}`
    sh(folder, `mkdir -p out in/${'ü'.repeat(60)}; echo deep > in/${long}; ln -s ${long} in/link`)
    await packTo(join(folder, 'ours.tar'), join(folder, 'in'))
    const script = `
import tarfile
ours = tarfile.open('ours.tar')
assert sorted(ours.getnames()) == ['.', 'link', ${JSON.stringify('ü'.repeat(60))}, ${JSON.stringify(long)}], ours.getnames()
assert ours.extractfile(${JSON.stringify(long)}).read() == b'deep\\n'
theirs = tarfile.open('theirs.tar', 'w', format=tarfile.PAX_FORMAT)
theirs.add('in', arcname='.')
theirs.close()`
    writeFileSync(join(folder, 'script.py'), script)
    sh(folder, 'PYTHONUTF8=1 python3 script.py')
    await unpack(join(folder, 'theirs.tar'), join(folder, 'out'), { fresh: true })
    expect(Object.keys(treeOf(join(folder, 'out')))).toEqual(Object.keys(treeOf(join(folder, 'in'))))
  })
})

describe('patterns', () => {
  it('take files in and leave them out', async () => {
    const folder = await newFolder()
    sh(
      folder,
      'mkdir -p in/a/b in/cache/x in/z; touch in/1.png in/a/2.png in/a/b/3.txt in/a/b/.hidden in/cache/x/4.png in/z/5.txt',
    )
    const packed = async (patterns: Parameters<typeof packTo>[2]) => {
      await packTo(join(folder, 'x.tar'), join(folder, 'in'), patterns)
      const target = join(folder, 'out')
      rmSync(target, { recursive: true, force: true })
      mkdirSync(target)
      await unpack(join(folder, 'x.tar'), target)
      return Object.keys(treeOf(target))
    }
    expect(await packed({ include: ['*.png'], exclude: ['cache'] })).toEqual(['1.png', 'a/', 'a/2.png'])
    expect(await packed({ include: ['a/b'] })).toEqual(['a/', 'a/b/', 'a/b/.hidden', 'a/b/3.txt'])
    expect(await packed({ exclude: ['/a/*/3.txt', 'cache/**', 'z/'] })).toEqual([
      '1.png',
      'a/',
      'a/2.png',
      'a/b/',
      'a/b/.hidden',
    ])
    await packTo(join(folder, 'x.tar'), join(folder, 'in'))
    mkdirSync(join(folder, 'only'))
    await unpack(join(folder, 'x.tar'), join(folder, 'only'), { only: ['**/*.txt'] })
    expect(readdirSync(join(folder, 'only'))).toEqual(['a', 'z'])
  })
})
