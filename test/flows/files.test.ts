import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HoldfastError } from '../../src/errors.js'
import { testContext, treeOf } from '../../src/files/test-trees.js'
import type { FilesBackupResult, FilesOutcome } from '../../src/operations/files-reports.js'
import { httpReceiver } from '../../src/hooks/notifiers/test-receivers.js'
import type { RunReport } from '../../src/hooks/run-report.js'
import { memoryDriver } from '../../src/storages/memory/driver.js'
import { objectKey } from '../../src/storages/object-key.js'
import type { Storage } from '../../src/storages/storage.js'
import { faultyStorage } from '../../src/testing/faulty-storage.js'
import { filesBelow, holdfastIn, keyRing, listener, testFolder } from './workbench.js'

/** A folder of uploads: files, folders, links. */
function makeUploads(folder: string): string {
  const uploads = join(folder, 'uploads')
  mkdirSync(join(uploads, 'avatars'), { recursive: true })
  mkdirSync(join(uploads, 'empty'))
  writeFileSync(join(uploads, 'avatars/a.png'), 'a'.repeat(5000))
  writeFileSync(join(uploads, 'avatars/b.png'), 'b')
  writeFileSync(join(uploads, 'terms.txt'), 'be kind')
  chmodSync(join(uploads, 'terms.txt'), 0o640)
  symlinkSync('avatars/a.png', join(uploads, 'first'))
  return uploads
}

function resultOf([outcome]: readonly FilesOutcome[]): FilesBackupResult {
  if (outcome?.ok !== true) throw outcome?.error ?? new TypeError('no outcome')
  return outcome.result
}

async function backedUp(config = {}) {
  const folder = await testFolder()
  const uploads = makeUploads(folder)
  const hf = await holdfastIn(folder, { files: { media: './uploads' }, ...config })
  const result = resultOf(await hf.files.backup())
  return { folder, uploads, hf, result, tree: treeOf(uploads) }
}

describe('a set of files', () => {
  it('is backed up, listed, shown, verified, and comes back as it was', async () => {
    const { folder, uploads, hf, result, tree } = await backedUp()
    expect(result.files).toEqual({ entries: 7, bytes: 5008, changed: 0, unreadable: 0 })
    expect(result.backup?.manifest).toMatchObject({
      kind: 'files',
      database: { alias: 'media', name: uploads },
    })
    expect((await hf.files.list({ set: 'media' })).backups).toHaveLength(1)
    expect((await hf.list({ kind: 'database' })).backups).toEqual([])
    expect((await hf.show({ backup: result.id })).manifest.files).toEqual(result.files)
    expect((await hf.verify()).results).toMatchObject([
      { ok: true, result: { decoded: true, checked: true } },
    ])
    writeFileSync(join(uploads, 'later'), 'x')
    writeFileSync(join(uploads, 'terms.txt'), 'changed')
    const report = await hf.files.restore({ replace: true, confirm: true })
    expect(report).toMatchObject({ restored: true, files: 3, links: 1, bytes: 5008 })
    expect(report.plan).toMatchObject({ present: 5, losses: ['5 files that the folder holds now'] })
    expect(treeOf(uploads)).toEqual(tree)
    expect(readdirSync(folder).sort()).toEqual(['backups', 'uploads'])
  })

  it('restores with each way to meet what is there', async () => {
    const { uploads, hf, tree } = await backedUp()
    await expect(hf.files.restore({ confirm: true })).rejects.toMatchObject({ code: 'refused.not-empty' })
    writeFileSync(join(uploads, 'terms.txt'), 'changed')
    writeFileSync(join(uploads, 'later'), 'x')
    const skipped = await hf.files.restore({ onConflict: 'skip', confirm: true })
    expect(skipped).toMatchObject({ files: 0, skipped: 4 })
    expect(readFileSync(join(uploads, 'terms.txt'), 'utf8')).toBe('changed')
    const replaced = await hf.files.restore({ onConflict: 'replace', confirm: true })
    expect(replaced.plan.losses).toEqual(['4 files that the backup has too, as they are now'])
    const { later: _, ...after } = treeOf(uploads)
    expect(after).toEqual(tree)
    expect(existsSync(join(uploads, 'later'))).toBe(true)
  })

  it('restores a part of it, elsewhere, and with dryRun or without a yes nothing', async () => {
    const { folder, hf } = await backedUp()
    const to = join(folder, 'found')
    await expect(hf.files.restore({ to })).rejects.toMatchObject({ code: 'refused.not-confirmed' })
    expect((await hf.files.restore({ to, dryRun: true })).plan).toMatchObject({
      entries: 7,
      bytes: 5008,
      exists: false,
    })
    await expect(hf.files.restore({ to, only: ['*.gif'], dryRun: true })).rejects.toMatchObject({
      code: 'usage.pattern-unmatched',
    })
    expect(existsSync(to)).toBe(false)
    await hf.files.restore({ to, only: ['*.png'], confirm: true })
    expect(filesBelow(to)).toEqual(['avatars/a.png', 'avatars/b.png'])
    for (const other of [{ only: ['*.png'] }, { onConflict: 'skip' as const }])
      await expect(hf.files.restore({ replace: true, ...other })).rejects.toMatchObject({
        code: 'usage.invalid',
      })
  })

  it('is named by its name, and an unknown one is an error', async () => {
    const { hf } = await backedUp({ files: { media: './uploads', more: './uploads' } })
    await expect(hf.files.backup({ sets: ['medai'] })).rejects.toThrow(/did you mean media/u)
    await expect(hf.files.restore({ confirm: true })).rejects.toThrow(/media, more/u)
    await expect(hf.files.list({ set: 'none' })).rejects.toMatchObject({ code: 'usage.unknown-files' })
    const twice = await holdfastIn('.', { files: { a: './x' }, databases: { a: 'sqlite:./a' } }).catch(
      (each: unknown) => each,
    )
    expect(twice).toMatchObject({ code: 'config.invalid' })
  })

  it('goes to a file or a stream in place of a storage, as one set; a file that is there stays', async () => {
    const { folder, hf, tree } = await backedUp()
    const output = join(folder, 'uploads.tar.zst')
    const result = resultOf(await hf.files.backup({ sets: ['media'], output }))
    expect(result).toMatchObject({ filename: output, copies: [], files: { entries: 7, bytes: 5008 } })
    expect(result.storedBytes).toBe(statSync(output).size)
    const [refused] = await hf.files.backup({ output })
    expect(refused).toMatchObject({ ok: false, error: { code: 'storage.exists' } })
    const stream = createWriteStream(join(folder, 'stream.tar'))
    resultOf(await hf.files.backup({ output: stream, compress: 'none' }))
    for (const [name, backup] of [
      ['from-file', output],
      ['from-stream', join(folder, 'stream.tar')],
    ] as const) {
      await hf.files.restore({ backup, to: join(folder, name), confirm: true })
      expect(treeOf(join(folder, name))).toEqual(tree)
    }
    const two = await holdfastIn(folder, { files: { media: './uploads', again: './uploads' } })
    await expect(two.files.backup({ output: join(folder, 'two') })).rejects.toMatchObject({
      code: 'usage.invalid',
    })
  })

  it('has retention of its own', async () => {
    const { hf } = await backedUp({ files: { media: { source: './uploads', retention: { last: 1 } } } })
    const { pruned } = resultOf(await hf.files.backup({ prune: true }))
    expect(pruned).toHaveLength(1)
    expect((await hf.files.list()).backups).toHaveLength(1)
  })

  it('encrypted, restores with the key alone', async () => {
    const { generateX25519Identity, identityToRecipient } = await import('age-encryption')
    const [identity, other] = [await generateX25519Identity(), await generateX25519Identity()]
    const config = { encrypt: { age: { recipients: [await identityToRecipient(identity)] } } }
    const { folder, uploads, hf, tree } = await backedUp(config)
    await expect(hf.files.restore({ replace: true, confirm: true })).rejects.toMatchObject({
      code: 'key.missing',
    })
    const open = (key: string) =>
      holdfastIn(folder, { files: { media: './uploads' }, ...config }, { keys: keyRing(key) })
    await expect((await open(other)).files.restore({ replace: true, confirm: true })).rejects.toMatchObject({
      code: 'integrity.wrong-key',
    })
    writeFileSync(join(uploads, 'terms.txt'), 'changed')
    await (await open(identity)).files.restore({ replace: true, confirm: true })
    expect(treeOf(uploads)).toEqual(tree)
  })

  it('leaves its own backups out where they lie in the folder', async () => {
    const folder = await testFolder()
    makeUploads(folder)
    const { emit, notices } = listener()
    const hf = await holdfastIn(folder, { files: { all: '.' } }, { emit })
    await hf.files.backup()
    const { files } = resultOf(await hf.files.backup())
    expect(files.entries).toBe(8)
    expect(notices).toContain('all: the backups in backups are left out')
  })
})

describe('hooks', () => {
  it('before can forbid, after leaves the backup valid', async () => {
    const { hf, uploads, tree } = await backedUp()
    const told: unknown[] = []
    const off = hf.on('beforeFilesBackup', () => {
      throw new Error('not now')
    })
    expect(await hf.files.backup()).toMatchObject([{ ok: false, error: { code: 'refused.hook' } }])
    off()
    hf.on('afterFilesBackup', (event) => void told.push(event))
    hf.once('afterFilesBackup', () => {
      throw new Error('mail is down')
    })
    expect(await hf.files.backup()).toMatchObject([
      { ok: false, error: { code: 'hook.failed' }, partial: {} },
    ])
    expect((await hf.files.list()).backups).toHaveLength(2)
    expect(told).toEqual([{ server: 'test', storage: 'main', filename: expect.any(String) as string }])
    hf.once('beforeFilesRestore', (event) => {
      told.push(event)
      throw new Error('the application runs')
    })
    writeFileSync(join(uploads, 'new'), 'x')
    await expect(hf.files.restore({ replace: true, confirm: true })).rejects.toMatchObject({
      code: 'refused.hook',
    })
    expect(existsSync(join(uploads, 'new'))).toBe(true)
    hf.on('afterFilesRestore', (event) => void told.push(event))
    await hf.files.restore({ replace: true, confirm: true })
    expect(treeOf(uploads)).toEqual(tree)
    const fields = { filename: expect.stringContaining('media/') as string, server: 'test', storage: 'main' }
    expect(told.slice(1)).toEqual([fields, fields])
  })
})

describe('notifiers', () => {
  it('are told of backups and restores of files', async () => {
    const web = await httpReceiver()
    const notify = { hook: { kind: 'webhook', url: web.url, retries: 0 } as const }
    const { hf } = await backedUp({ notify, files: { media: './uploads', more: './nothing' } })
    await hf.files.restore({ set: 'media', replace: true, confirm: true })
    const reports = web.received.map(({ body }) => JSON.parse(body) as RunReport)
    expect(reports).toMatchObject([
      {
        operation: 'files-backup',
        result: 'partial',
        subjects: [
          { kind: 'files', name: 'media', result: 'success', storages: [{ name: 'main', ok: true }] },
          { kind: 'files', name: 'more', result: 'failure', error: { code: 'storage.not-found' } },
        ],
      },
      { operation: 'files-restore', result: 'success', subjects: [{ kind: 'files', name: 'media' }] },
    ])
  })
})

describe('what cannot be taken as it is', () => {
  /** Root may read everything, so that it has to step down for a moment. */
  const asOther = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (process.geteuid?.() !== 0) return work()
    process.seteuid?.(65_534)
    try {
      return await work()
    } finally {
      process.seteuid?.(0)
    }
  }

  it('a file that cannot be read makes the result partial, and the backup says so', async () => {
    const folder = await testFolder()
    const uploads = makeUploads(folder)
    chmodSync(folder, 0o777)
    chmodSync(join(uploads, 'avatars/b.png'), 0)
    chmodSync(join(uploads, 'terms.txt'), 0o644)
    chmodSync(join(uploads, 'empty'), 0)
    const hf = await holdfastIn(folder, { files: { media: './uploads' } })
    const [outcome] = await asOther(() => hf.files.backup())
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'backup.partial' },
      partial: { files: { unreadable: 2 } },
    })
    const { backups } = await hf.files.list()
    expect(backups[0]?.manifest.warnings).toEqual([
      'avatars/b.png cannot be read: permission denied',
      'empty cannot be read: permission denied',
    ])
    const report = await hf.files.restore({ to: join(folder, 'out'), confirm: true })
    expect(report.warnings).toContain('the backup is without files that could not be read')
    expect(filesBelow(join(folder, 'out'))).toEqual(['avatars/a.png', 'terms.txt'])
  })

  it('a file that changes while it is read is recorded, and is no failure', async () => {
    const folder = await testFolder()
    const uploads = makeUploads(folder)
    // Larger than what pipes and streams hold, so that it is still read when the first bytes come out.
    for (const name of ['avatars/grows', 'avatars/shrinks']) {
      writeFileSync(join(uploads, name), '')
      truncateSync(join(uploads, name), 64 * 1024 * 1024)
    }
    let changed = false
    const hf = await holdfastIn(
      folder,
      { files: { media: './uploads' }, compress: 'none' },
      {
        emit(event) {
          if (changed || event.type !== 'progress') return
          changed = true
          appendFileSync(join(uploads, 'avatars/grows'), 'more')
          truncateSync(join(uploads, 'avatars/shrinks'), 1000)
        },
      },
    )
    const { files, warnings } = resultOf(await hf.files.backup())
    expect(files.changed).toBeGreaterThan(0)
    expect(warnings).toContain('avatars/grows changed while it was read')
    expect((await hf.verify()).results).toMatchObject([{ ok: true }])
  })

  it('what takes a file’s place before it is opened is recorded, and not waited for', async () => {
    const folder = await testFolder()
    const uploads = makeUploads(folder)
    writeFileSync(join(uploads, 'avatars/0-large'), '')
    truncateSync(join(uploads, 'avatars/0-large'), 64 * 1024 * 1024)
    let replaced = false
    const hf = await holdfastIn(
      folder,
      { files: { media: './uploads' }, compress: 'none' },
      {
        emit(event) {
          if (replaced || event.type !== 'progress') return
          replaced = true
          rmSync(join(uploads, 'avatars/a.png'))
          execFileSync('mkfifo', [join(uploads, 'avatars/a.png')])
          rmSync(join(uploads, 'avatars/b.png'))
        },
      },
    )
    const { files, warnings } = resultOf(await hf.files.backup())
    expect(files).toMatchObject({ changed: 2, unreadable: 0 })
    expect(warnings).toContain('avatars/a.png was replaced while the folder was read')
    expect(warnings).toContain('avatars/b.png was removed while the folder was read')
    expect((await hf.verify()).results).toMatchObject([{ ok: true }])
  })

  it('a folder that is not there is an error, and FAILURES 15: nothing is a backup', async () => {
    const folder = await testFolder()
    const hf = await holdfastIn(folder, { files: { media: './nothing' } })
    expect(await hf.files.backup()).toMatchObject([{ ok: false, error: { code: 'storage.not-found' } }])
    expect(filesBelow(join(folder, 'backups'))).toEqual([])
    expect((await hf.doctor()).checks).toContainEqual(
      expect.objectContaining({ subject: 'files media', status: 'error' }),
    )
  })
})

const isRoot = process.getuid?.() === 0
const canMount = process.platform === 'linux' && isRoot

describe('restores that fail', () => {
  it('FAILURES 16: a damaged artifact is found before anything is changed', async () => {
    const { folder, uploads, hf, tree, result } = await backedUp()
    const artifact = join(folder, 'backups', result.backup?.manifest.parts[0]?.stored.key ?? '')
    const bytes = readFileSync(artifact)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
    writeFileSync(artifact, bytes)
    await expect(hf.files.restore({ onConflict: 'replace', confirm: true })).rejects.toMatchObject({
      code: expect.stringMatching(/^integrity\./u) as string,
    })
    truncateSync(artifact, 100)
    await expect(hf.files.restore({ replace: true, confirm: true })).rejects.toMatchObject({
      code: 'integrity.truncated',
    })
    expect(treeOf(uploads)).toEqual(tree)
  })

  it('FAILURES 67: interrupted, with replace the folder is as it was, and otherwise each file is whole', async () => {
    const { folder, uploads, tree } = await backedUp()
    for (const request of [{ replace: true }, { onConflict: 'replace' as const }]) {
      const stop = new AbortController()
      const hf = await holdfastIn(
        folder,
        { files: { media: './uploads' } },
        {
          emit: (event) => {
            if (event.type === 'progress' && event.phase === 'restore')
              stop.abort(new HoldfastError('interrupted.sigint', 'interrupted'))
          },
        },
      )
      await expect(
        hf.files.restore({ ...request, confirm: true, signal: stop.signal }),
      ).rejects.toMatchObject({
        code: 'interrupted.sigint',
      })
      expect(Object.keys(treeOf(uploads))).toEqual(Object.keys(tree))
      expect(readdirSync(folder).sort()).toEqual(['backups', 'uploads'])
    }
  })

  it('FAILURES 7: what killed restores have left is removed by the next', async () => {
    const { folder, uploads, hf, tree } = await backedUp()
    // No process has this id: it is above the largest that Linux gives.
    const dead = '4194999-0123456789ab'
    mkdirSync(join(folder, `.uploads.holdfast-${dead}.partial`))
    mkdirSync(join(folder, `.uploads.holdfast-${dead}.old`))
    mkdirSync(join(folder, `.uploads.holdfast-${process.pid}-0123456789ab.partial`))
    await hf.files.restore({ replace: true, confirm: true })
    expect(readdirSync(folder).sort()).toEqual([
      `.uploads.holdfast-${process.pid}-0123456789ab.partial`,
      'backups',
      'uploads',
    ])
    writeFileSync(join(uploads, `avatars/.holdfast-${dead}.partial`), 'half')
    await hf.files.restore({ onConflict: 'replace', confirm: true })
    expect(treeOf(uploads)).toEqual(tree)
  })

  it.skipIf(!canMount)(
    `${canMount ? '' : '[needs root and mount] '}FAILURES 5: a full disk is seen before, and where it fills up nothing half stays`,
    async () => {
      const folder = await testFolder()
      const uploads = makeUploads(folder)
      writeFileSync(join(uploads, 'large'), Buffer.alloc(300_000, 'x'))
      const disk = join(folder, 'disk')
      mkdirSync(disk)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk])
      onTestFinished(() => void execFileSync('umount', [disk]))
      const hf = await holdfastIn(folder, { files: { media: './uploads' } })
      await hf.files.backup()
      writeFileSync(join(disk, 'mine'), Buffer.alloc(400_000))
      const restore = () => hf.files.restore({ to: disk, confirm: true })
      await expect(restore()).rejects.toMatchObject({ code: 'storage.full' })
      expect(filesBelow(disk)).toEqual(['mine'])
      truncateSync(join(disk, 'mine'), 0)
      hf.on('beforeFilesRestore', () => writeFileSync(join(disk, 'mine'), Buffer.alloc(400_000)))
      await expect(restore()).rejects.toMatchObject({ code: 'restore.incomplete' })
      expect(filesBelow(disk)).toEqual(['avatars/a.png', 'avatars/b.png', 'mine'])
    },
  )

  it('a validateRestore that refuses changes nothing', async () => {
    const { folder, uploads, tree } = await backedUp()
    const hf = await holdfastIn(folder, {
      files: { media: './uploads' },
      validateRestore: () => {
        throw new Error('too old')
      },
    })
    await expect(hf.files.restore({ replace: true, confirm: true })).rejects.toMatchObject({
      code: 'refused.hook',
    })
    expect(treeOf(uploads)).toEqual(tree)
  })
})

describe('a storage as the source', () => {
  async function storageOf(objects: Readonly<Record<string, string>>): Promise<Storage> {
    const storage = await memoryDriver.open(
      {},
      { name: `uploads-${Object.keys(objects).join()}`, baseDirectory: '.' },
    )
    for (const [key, content] of Object.entries(objects))
      await storage.put(testContext(), objectKey(key), Readable.from([Buffer.from(content)]))
    return storage
  }

  const configOf = (storage: Storage) => ({
    storageDrivers: [{ driver: 'given', open: () => Promise.resolve(storage) }],
    storages: { uploads: { driver: 'given' }, main: { driver: 'local', path: './backups' } },
    files: { media: { source: { storage: 'uploads' }, exclude: ['*.tmp'] } },
  })

  it('is backed up by its keys, and no backup goes into it', async () => {
    const folder = await testFolder()
    const storage = await storageOf({ 'a/1.png': 'one', 'a/2.png': '', 'b.txt': 'two', 'x.tmp': 'x' })
    const hf = await holdfastIn(folder, configOf(storage))
    expect(resultOf(await hf.files.backup())).toMatchObject({
      files: { entries: 3, bytes: 6 },
      copies: [{ storage: 'main' }],
    })
    expect((await hf.verify()).results).toMatchObject([{ ok: true, result: { checked: true } }])
    expect((await hf.doctor()).checks.filter(({ status }) => status === 'error')).toEqual([])
    await hf.files.restore({ to: join(folder, 'out'), confirm: true })
    expect(filesBelow(join(folder, 'out'))).toEqual(['a/1.png', 'a/2.png', 'b.txt'])
    expect(readFileSync(join(folder, 'out/b.txt'), 'utf8')).toBe('two')
  })

  async function objectsOf(storage: Storage): Promise<Readonly<Record<string, string>>> {
    const objects: Record<string, string> = {}
    for await (const { key } of storage.list(testContext(), ''))
      objects[key] = Buffer.concat(await (await storage.get(testContext(), key)).toArray()).toString()
    return objects
  }

  const put = (storage: Storage, key: string, content: string) =>
    storage.put(testContext(), objectKey(key), Readable.from([Buffer.from(content)]))

  it('gets its objects back', async () => {
    const folder = await testFolder()
    const large = 'large'.repeat(300_000)
    const storage = await storageOf({ 'a/1.png': 'one', 'b.txt': 'two', 'x.tmp': 'x', large })
    const hf = await holdfastIn(folder, configOf(storage))
    resultOf(await hf.files.backup())
    await put(storage, 'a/1.png', 'changed')
    await put(storage, 'stray.txt', 'not in the backup')
    await storage.delete(testContext(), objectKey('b.txt'))
    await storage.delete(testContext(), objectKey('large'))
    const damaged = await objectsOf(storage)

    const refused = hf.files.restore({ confirm: true })
    await expect(refused).rejects.toMatchObject({ code: 'refused.not-empty' })
    const { plan } = await hf.files.restore({ replace: true, dryRun: true })
    expect(plan).toMatchObject({ kind: 'storage', entries: 3, present: 2, mode: 'empty-first' })
    expect(plan.losses).toEqual(['2 files that the storage holds now'])
    expect(await objectsOf(storage)).toEqual(damaged)

    const skipped = await hf.files.restore({ onConflict: 'skip', confirm: true })
    expect(skipped).toMatchObject({ files: 2, skipped: 1 })
    expect(await objectsOf(storage)).toEqual({ ...damaged, 'b.txt': 'two', large })
    const simple: Storage = {
      ...faultyStorage(storage, {}),
      put: (cx, key, body) => storage.put(cx, key, body),
    }
    const withoutCreateOnly = await holdfastIn(folder, configOf(simple))
    await withoutCreateOnly.files.restore({ onConflict: 'skip', confirm: true })
    expect(await objectsOf(storage)).toEqual({ ...damaged, 'b.txt': 'two', large })
    await hf.files.restore({ only: ['a'], onConflict: 'replace', confirm: true })
    expect(await objectsOf(storage)).toMatchObject({ 'a/1.png': 'one', 'stray.txt': 'not in the backup' })
    await hf.files.restore({ replace: true, confirm: true })
    expect(await objectsOf(storage)).toEqual({ 'a/1.png': 'one', 'b.txt': 'two', 'x.tmp': 'x', large })
  })

  it('says what is half restored where the storage fails, and takes no links', async () => {
    const folder = await testFolder()
    const storage = await storageOf({ p: 'one', q: 'two', r: 'three' })
    const error = new HoldfastError('storage.full', 'no space')
    const faults = { matches: (key: string) => key === 'q', failPut: { afterBytes: 0, error } }
    const hf = await holdfastIn(folder, configOf(faultyStorage(storage, faults)))
    resultOf(await hf.files.backup())
    await put(storage, 'r', 'changed')
    await put(storage, 's', 'not in the backup')
    await expect(hf.files.restore({ replace: true, confirm: true })).rejects.toMatchObject({
      code: 'restore.incomplete',
      message: expect.stringContaining('no space; some files in') as string,
    })
    expect(await objectsOf(storage)).toEqual({ p: 'one', q: 'two', r: 'three', s: 'not in the backup' })
    const links = join(folder, 'links.tar')
    mkdirSync(join(folder, 'tree'))
    symlinkSync('a', join(folder, 'tree/link'))
    execFileSync('tar', ['-C', join(folder, 'tree'), '-cf', links, '.'])
    const linked = hf.files.restore({ backup: links, set: 'media', onConflict: 'replace', confirm: true })
    await expect(linked).rejects.toMatchObject({ code: 'usage.not-supported' })
  })

  it('FAILURES 23: a listing that fails is no empty backup; an object that cannot be read is partial', async () => {
    const folder = await testFolder()
    const storage = await storageOf({ a: 'one', b: 'two', c: 'three' })
    const error = new HoldfastError('storage.unreachable', 'the network is down')
    const broken = await holdfastIn(
      folder,
      configOf(faultyStorage(storage, { failList: { afterObjects: 1, error } })),
    )
    expect(await broken.files.backup()).toMatchObject([{ ok: false, error: { code: 'storage.unreachable' } }])
    expect(filesBelow(join(folder, 'backups'))).toEqual([])
    const denied: Storage = {
      ...faultyStorage(storage, { truncateGet: { bytes: 2 }, matches: (key) => key === 'c' }),
      get: (cx, key) =>
        key === 'b'
          ? Promise.reject(new HoldfastError('storage.denied', 'b may not be read'))
          : faultyStorage(storage, { truncateGet: { bytes: 2 }, matches: (each) => each === 'c' }).get(
              cx,
              key,
            ),
    }
    const partial = await holdfastIn(folder, configOf(denied))
    expect(await partial.files.backup()).toMatchObject([
      {
        ok: false,
        error: { code: 'backup.partial' },
        partial: { files: { entries: 2, changed: 1, unreadable: 1 } },
      },
    ])
  })
})

it.skipIf(!isRoot)(`${isRoot ? '' : '[needs root] '}owners come back where root restores`, async () => {
  const { uploads, hf } = await backedUp()
  const path = join(uploads, 'terms.txt')
  chownSync(path, 12_345, 12_346)
  const { id } = resultOf(await hf.files.backup())
  chownSync(path, 0, 0)
  await hf.files.restore({ backup: id, replace: true, confirm: true })
  expect(statSync(path)).toMatchObject({ uid: 12_345, gid: 12_346 })
})
