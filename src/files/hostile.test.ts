import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { needsTool } from '../../test/servers/needs.js'
import { endOfArchive, headerOf, type WrittenEntry } from './tar/encode.js'
import { paddingOf } from './tar/entry.js'
import { examine, newFolder, sh, treeOf, unpack } from './test-trees.js'

const common = { mode: 0o644, uid: 0, gid: 0, modifiedNs: 0n, size: 0 }

interface Given {
  readonly path: string
  readonly type?: WrittenEntry['type']
  readonly link?: string
  readonly content?: string
}

/** An archive such as no tar program would write. */
function writeArchive(file: string, entries: readonly Given[]): void {
  const parts = entries.flatMap(({ path, type = 'file', link, content = '' }) => {
    const entry = { ...common, path: Buffer.from(path), type, size: content.length }
    return [
      headerOf(link === undefined ? entry : { ...entry, link: Buffer.from(link) }),
      Buffer.from(content),
      Buffer.alloc(paddingOf(content.length)),
    ]
  })
  writeFileSync(file, Buffer.concat([...parts, endOfArchive]))
}

/** A target with a file, and what lies beside it, where nothing may ever be written. */
async function workplace() {
  const folder = await newFolder()
  const target = join(folder, 'target')
  const outside = join(folder, 'outside')
  mkdirSync(target)
  mkdirSync(outside)
  writeFileSync(join(target, 'mine'), 'mine')
  writeFileSync(join(outside, 'secret'), 'secret')
  const archive = join(folder, 'x.tar')
  const before = treeOf(folder)
  return {
    folder,
    target,
    outside,
    archive,
    /** Refused when it is looked at; and where nobody has looked, nothing is written outside. */
    async refused(code = 'integrity.format', text = '') {
      const error = await examine(archive, target).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({ code, message: expect.stringContaining(text) as string })
      const { 'x.tar': _, ...after } = treeOf(folder)
      expect(after).toEqual(before)
      await unpack(archive, target, { onConflict: 'replace' }).catch(() => undefined)
      expect(readdirSync(outside)).toEqual(['secret'])
      expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret')
      expect(readdirSync(folder).sort()).toEqual(['outside', 'target', 'x.tar'])
    },
  }
}

describe('FAILURES 72: an archive that is made by hand', () => {
  it.each<readonly [string, readonly Given[], string]>([
    ['an absolute name', [{ path: '/tmp/holdfast-hostile', content: 'x' }], 'absolute'],
    ['.. at the beginning', [{ path: '../outside/x', content: 'x' }], '..'],
    ['.. in the middle', [{ path: 'a/../../outside/x', content: 'x' }], '..'],
    ['.. at the end', [{ path: 'a/..', type: 'folder' }], '..'],
    ['a link to an absolute place', [{ path: 'l', type: 'symlink', link: '/etc/passwd' }], 'leads out'],
    ['a link that goes up too far', [{ path: 'a/l', type: 'symlink', link: '../../outside' }], 'leads out'],
    [
      'a link that goes up after it went down',
      [{ path: 'l', type: 'symlink', link: 'a/../../outside' }],
      'leads out',
    ],
    [
      'a file through a link of its own',
      [
        { path: 'l', type: 'symlink', link: '.' },
        { path: 'l/x', content: 'x' },
      ],
      'behind a symbolic link',
    ],
    [
      'a folder through a link of its own',
      [
        { path: 'a/l', type: 'symlink', link: '..' },
        { path: 'a/l/x/y', type: 'folder' },
      ],
      'behind a symbolic link',
    ],
    ['another name of a file outside', [{ path: 'h', type: 'hardlink', link: '../outside/secret' }], '..'],
    ['another name of an absolute file', [{ path: 'h', type: 'hardlink', link: '/etc/passwd' }], 'absolute'],
    ['a file in place of the folder itself', [{ path: '.', content: 'x' }], 'no name'],
  ])('%s is refused', async (_what, entries, text) => {
    const place = await workplace()
    writeArchive(place.archive, entries)
    await place.refused('integrity.format', text)
  })

  it('another name of a file that is not there is an error, and of a link never', async () => {
    const { archive, target, outside } = await workplace()
    writeArchive(archive, [{ path: 'h', type: 'hardlink', link: 'nothing' }])
    await expect(unpack(archive, target)).rejects.toMatchObject({ code: 'integrity.format' })
    symlinkSync(join(outside, 'secret'), join(target, 'l'))
    writeArchive(archive, [{ path: 'h', type: 'hardlink', link: 'l' }])
    await expect(unpack(archive, target)).rejects.toMatchObject({ code: 'integrity.format' })
    expect(readdirSync(target).sort()).toEqual(['l', 'mine'])
  })
})

needsTool('tar').describe('FAILURES 72: an archive of GNU tar', () => {
  it.each<readonly [string, string, string]>([
    ['absolute names', 'tar -cPf x.tar "$PWD/outside/secret"', 'absolute'],
    ['names that go up', 'cd target && tar -cPf ../x.tar ../outside/secret', '..'],
    ['a device', 'tar -cf x.tar -C / dev/null', 'a device'],
    ['a named pipe', 'mkdir in && mkfifo in/p && tar -cf x.tar -C in p && rm -r in', 'a named pipe'],
    [
      'links that lead out',
      'mkdir in && ln -s ../outside in/l && tar -cf x.tar -C in l && rm -r in',
      'leads out',
    ],
    [
      'a link, then a file through it',
      `mkdir in && ln -s ../outside in/l && tar -cf x.tar -C in l
       rm in/l && mkdir in/l && echo x > in/l/x && tar -rf x.tar -C in l/x && rm -r in`,
      'leads out',
    ],
  ])('with %s is refused', async (_what, script, text) => {
    const place = await workplace()
    sh(place.folder, script)
    await place.refused('integrity.format', text)
  })
})

describe('what stands in the target', () => {
  it('FAILURES 72: a link in a folder’s place is not followed', async () => {
    const place = await workplace()
    symlinkSync(place.outside, join(place.target, 'sub'))
    writeArchive(place.archive, [{ path: 'sub/secret', content: 'gone' }])
    await expect(examine(place.archive, place.target)).rejects.toMatchObject({ code: 'refused.not-empty' })
    // Somebody puts the link there after the archive was examined.
    await expect(unpack(place.archive, place.target, { onConflict: 'replace' })).rejects.toMatchObject({
      code: 'refused.not-empty',
    })
    expect(readFileSync(join(place.outside, 'secret'), 'utf8')).toBe('secret')
  })

  it('FAILURES 72: a link in a file’s place is replaced, not written through', async () => {
    const place = await workplace()
    symlinkSync(join(place.outside, 'secret'), join(place.target, 'x'))
    writeArchive(place.archive, [{ path: 'x', content: 'new' }])
    await unpack(place.archive, place.target, { onConflict: 'replace' })
    expect(readFileSync(join(place.outside, 'secret'), 'utf8')).toBe('secret')
    expect(readFileSync(join(place.target, 'x'), 'utf8')).toBe('new')
    expect(treeOf(place.target)['x']).not.toContain('->')
  })

  it('stays, is replaced, or stops the restore before it begins', async () => {
    const { archive, target } = await workplace()
    writeArchive(archive, [
      { path: 'mine', content: 'theirs' },
      { path: 'new', content: 'new' },
    ])
    expect(await examine(archive, target)).toMatchObject({
      conflicts: 1,
      conflictNames: ['mine'],
      present: 1,
    })
    expect(await unpack(archive, target, { onConflict: 'skip' })).toMatchObject({ files: 1, skipped: 1 })
    expect(readFileSync(join(target, 'mine'), 'utf8')).toBe('mine')
    await expect(unpack(archive, target)).rejects.toMatchObject({ code: 'refused.not-empty' })
    expect(await unpack(archive, target, { onConflict: 'replace' })).toMatchObject({ files: 2, skipped: 0 })
    expect(readFileSync(join(target, 'mine'), 'utf8')).toBe('theirs')
  })

  it('a file in a folder’s place, and a folder in a file’s, are refused before the first change', async () => {
    const { archive, target } = await workplace()
    mkdirSync(join(target, 'folder'))
    for (const path of ['mine/x', 'folder']) {
      writeArchive(archive, [{ path, content: 'x' }])
      await expect(examine(archive, target, { onConflict: 'replace' })).rejects.toMatchObject({
        code: 'refused.not-empty',
      })
    }
  })

  it('an archive that is cut is an error, and what is half written is gone', async () => {
    const { archive, target } = await workplace()
    writeArchive(archive, [{ path: 'big', content: 'x'.repeat(5000) }])
    writeFileSync(archive, readFileSync(archive).subarray(0, 2000))
    await expect(unpack(archive, target)).rejects.toMatchObject({ code: 'integrity.truncated' })
    expect(readdirSync(target)).toEqual(['mine'])
  })
})
