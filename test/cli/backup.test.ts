import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contentOf, filesBelow, makeShop, testFolder } from '../flows/workbench.js'
import { built, documentOf, holdfast, program, project } from './command-line.js'

built.describe('backup', () => {
  it('without configuration: a URL, or DATABASE_URL, into ./backups', async () => {
    const cwd = await testFolder()
    makeShop(join(cwd, 'shop.sqlite3'), 5)
    const named = await holdfast(['backup', 'sqlite:./shop.sqlite3'], { cwd })
    expect(named).toMatchObject({ code: 0, stderr: '' })
    expect(named.stdout).toMatch(
      /^DATABASE +BACKUP +STORAGE +SIZE +STORED +TIME\nshop +shop-\S+\.sqlite3\.zst +main +\S+ KiB/u,
    )
    const variables = { DATABASE_URL: 'sqlite:./shop.sqlite3' }
    expect((await holdfast(['backup'], { cwd, variables })).code).toBe(0)
    expect(filesBelow(join(cwd, 'backups')).filter((name) => name.endsWith('.manifest.json'))).toHaveLength(2)
  })

  it('the result is on stdout and nothing else; --quiet says nothing at all', async () => {
    const cwd = await project()
    const ended = await holdfast(['backup', '--json'], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(documentOf(ended)).toMatchObject({
      holdfast: 1,
      command: 'backup',
      outcomes: [{ database: 'shop', ok: true, storage: 'main', warnings: [] }],
    })
    expect(await holdfast(['backup', '--quiet'], { cwd })).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('one failing database does not stop the others: exit 3', async () => {
    const cwd = await project({ databases: { gone: 'sqlite:./gone.sqlite3', shop: 'sqlite:./shop.sqlite3' } })
    const ended = await holdfast(['backup'], { cwd })
    expect(ended.code).toBe(3)
    expect(ended.stdout).toContain('shop-test-')
    expect(ended.stdout).not.toContain('gone')
    expect(ended.stderr).toMatch(/^error: gone: .*gone\.sqlite3.* \[database\.not-found\]\nhint: /u)
    const json = await holdfast(['backup', '--json'], { cwd })
    expect(json.code).toBe(3)
    expect(documentOf(json)).toMatchObject({
      outcomes: [
        { database: 'gone', ok: false, error: { code: 'database.not-found', exit: 4 } },
        { ok: true },
      ],
    })
  })

  it('where all fail, the exit code is theirs', async () => {
    const cwd = await project({ databases: { a: 'sqlite:./a.sqlite3', b: 'sqlite:./b.sqlite3' } })
    const ended = await holdfast(['backup'], { cwd })
    expect(ended).toMatchObject({ code: 4, stdout: '' })
  })

  it.each([
    ['an unknown database', ['backup', 'shpo'], 2, 'there is no database shpo; known: shop'],
    ['nothing configured', ['backup', '--config', 'empty.json'], 2, 'no database is configured'],
    [
      'a pattern without a match',
      ['backup', '--connector', 'sqlite-dump', '--exclude', 'nope'],
      2,
      'exclude matches no table: nope',
    ],
    [
      'an unknown connector',
      ['backup', '--connector', 'pg'],
      2,
      'sqlite has no connector pg; it has sqlite-backup',
    ],
    [
      'schemas without schemas',
      ['backup', '--schema', 'x'],
      2,
      '--schema does not go with databases.shop (holdfast.config.json): sqlite has no schemas',
    ],
    [
      'patterns and a connector that copies the whole',
      ['backup', '--exclude-data', 'x', '--connector', 'sqlite-copy'],
      2,
      '--exclude-data does not go with --connector: the connector sqlite-copy cannot leave out the rows of tables',
    ],
    [
      'a portable dump beside the one on stdout',
      ['backup', '--also-portable', '-o', '-'],
      2,
      '--output does not go with --also-portable: output takes one file',
    ],
    ['a file that is not there', ['restore', './no.dump'], 2, 'there is no file ./no.dump'],
    ['a folder', ['restore', './'], 2, './ is no file'],
    ['an unknown scheme', ['backup', 'redis://h/0'], 2, 'there is no engine redis'],
    ['a server that is not there', ['backup', 'postgres://127.0.0.1:1/x'], 4, 'cannot be reached'],
    ['a storage that is a file', ['backup', '--storage', './shop.sqlite3'], 6, 'shop.sqlite3'],
  ])('%s is an error', async (_title, args, code, message) => {
    const cwd = await project()
    writeFileSync(join(cwd, 'empty.json'), '{}')
    const ended = await holdfast(args, { cwd })
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(message)
  })

  it('a pattern without a match is allowed with --allow-missing', async () => {
    const cwd = await project()
    const args = [
      'backup',
      '--connector',
      'sqlite-dump',
      '--exclude',
      'nope',
      '--exclude',
      'sessions',
      '--allow-missing',
      '-q',
    ]
    expect(await holdfast(args, { cwd })).toEqual({ code: 0, stdout: '', stderr: '' })
    const show = await holdfast(['show', '--json'], { cwd })
    expect(documentOf(show)).toMatchObject({ manifest: { options: { exclude: ['nope', 'sessions'] } } })
  })

  it('--prune removes what retention does not keep', async () => {
    const cwd = await project({ retention: { last: 1 } })
    await holdfast(['backup'], { cwd })
    const ended = await holdfast(['backup', '--prune'], { cwd })
    expect(ended.stdout).toContain('1 old backup removed')
    expect(documentOf(await holdfast(['list', '--json'], { cwd }))).toMatchObject({
      backups: [{ database: 'shop' }],
    })
  })

  it('a broken hook of the user is no crash', async () => {
    const cwd = await testFolder()
    makeShop(join(cwd, 'shop.sqlite3'), 5)
    writeFileSync(
      join(cwd, 'holdfast.config.mjs'),
      `export default { databases: { shop: 'sqlite:./shop.sqlite3' }, metadata: () => { throw new TypeError('oops') } }`,
    )
    const ended = await holdfast(['backup', '--verbose'], { cwd })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^error: shop: oops \[internal\.unexpected\]/u)
    expect(ended.stderr).toContain('holdfast.config.mjs')
  })
})

built.describe('backup --output', () => {
  it('- gives the bytes alone on stdout, and what there is to tell on stderr', async () => {
    const cwd = await project({ compress: 'none' })
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'backup', '-o', '-'], { cwd })
    expect(status).toBe(0)
    expect(stdout.subarray(0, 15).toString()).toBe('SQLite format 3')
    expect(stderr.toString()).toMatch(/^DATABASE +FILE +SIZE/u)
    writeFileSync(join(cwd, 'copy.sqlite3'), stdout)
    expect(contentOf(join(cwd, 'copy.sqlite3'))).toBe(contentOf(join(cwd, 'shop.sqlite3')))
    expect(existsSync(join(cwd, 'backups'))).toBe(false)
  })

  it('writes a file, and never over another', async () => {
    const cwd = await project({ compress: 'none' })
    expect((await holdfast(['backup', '--output', 'copy.sqlite3'], { cwd })).code).toBe(0)
    expect(contentOf(join(cwd, 'copy.sqlite3'))).toBe(contentOf(join(cwd, 'shop.sqlite3')))
    const before = readFileSync(join(cwd, 'copy.sqlite3'))
    const ended = await holdfast(['backup', '--output', 'copy.sqlite3'], { cwd })
    expect(ended).toMatchObject({ code: 6, stdout: '' })
    expect(ended.stderr).toContain('copy.sqlite3 is there already [storage.exists]')
    expect(readFileSync(join(cwd, 'copy.sqlite3')).equals(before)).toBe(true)
  })

  it.each([
    ['both want stdout', ['backup', '-o', '-', '--json'], '--json and --output - both want stdout'],
    ['two databases', ['backup', 'shop', 'sqlite:./shop.sqlite3', '-o', 'x'], 'output takes one database'],
  ])('%s: refused', async (_title, args, message) => {
    const cwd = await project()
    const ended = await holdfast(args, { cwd })
    expect(ended.code).toBe(2)
    expect(ended.stdout + ended.stderr).toContain(message)
  })

  it('a reader that goes away is an error of the backup', async () => {
    const cwd = await project({ compress: 'none' })
    makeShop(join(cwd, 'large.sqlite3'), 20_000)
    const script = `{ '${process.execPath}' '${program}' backup sqlite:./large.sqlite3 -o -; echo "exit $?" >&2; } | head -c 100 > part`
    const { stderr } = spawnSync('sh', ['-c', script], { cwd })
    expect(stderr.toString()).toContain('the reader of stdout has closed it [storage.failed]')
    expect(stderr.toString()).toContain('exit 6')
  })
})
