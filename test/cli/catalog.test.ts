import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filesBelow, makeShop, testFolder } from '../flows/workbench.js'
import { built, documentOf, holdfast, project } from './command-line.js'

interface Listed {
  readonly backups: readonly {
    readonly id: string
    readonly database: string
    readonly keys: readonly string[]
  }[]
  readonly damaged: readonly { readonly key: string; readonly error: { readonly code: string } }[]
}

async function list(cwd: string, ...args: readonly string[]): Promise<Listed> {
  return documentOf(await holdfast(['list', '--json', ...args], { cwd })) as unknown as Listed
}

/** A project with two databases, and a backup of each: shop's compressed, docs's not. */
async function backedUp() {
  const cwd = await project({
    databases: { shop: 'sqlite:./shop.sqlite3', docs: 'sqlite:./docs.sqlite3' },
    retention: { last: 1 },
  })
  makeShop(join(cwd, 'docs.sqlite3'), 5)
  await holdfast(['backup', 'shop', '-q'], { cwd })
  await holdfast(['backup', 'docs', '-q', '--compress', 'none'], { cwd })
  return cwd
}

built.describe('list', () => {
  it('filters', async () => {
    const cwd = await backedUp()
    const names = async (...args: string[]) =>
      (await list(cwd, ...args)).backups.map(({ database }) => database)
    expect(await names()).toEqual(['docs', 'shop'])
    expect(await names('--database', 'shop')).toEqual(['shop'])
    expect(await names('--compressed')).toEqual(['shop'])
    expect(await names('--no-compressed')).toEqual(['docs'])
    expect(await names('--encrypted')).toEqual([])
    expect(await names('--server', 'elsewhere')).toEqual([])
    expect(await names('--kind', 'files')).toEqual([])
    expect(await names('--since', '2020-01-01', '--until', '2099-01-01T00:00:00Z')).toEqual(['docs', 'shop'])
    expect(await names('--until', '2020-01-01')).toEqual([])
  })

  it('is a table for people', async () => {
    const cwd = await backedUp()
    const { stdout } = await holdfast(['list'], { cwd })
    const [heading, first] = stdout.split('\n')
    expect(heading).toMatch(/^ID {26}DATABASE {2}CREATED {11}AGE +STORED {2}ENGINE {2}STAGES$/u)
    expect(first).toMatch(
      /^\d{8}T\d{9}Z-\w{6} {2}docs {6}\d{4}-\d\d-\d\d \d\d:\d\d {2}just now +\S+ \w+ {2}sqlite {2}none$/u,
    )
  })

  it('works from the storage alone', async () => {
    const cwd = await backedUp()
    for (const name of readdirSync(cwd)) if (name !== 'backups') rmSync(join(cwd, name), { recursive: true })
    expect((await list(cwd)).backups).toHaveLength(2)
    const elsewhere = await testFolder()
    const variables = { HOLDFAST_STORAGE: join(cwd, 'backups') }
    const ended = await holdfast(['list', '--json'], { cwd: elsewhere, variables })
    expect(documentOf(ended)['backups']).toHaveLength(2)
    expect((await list(elsewhere, '--storage', join(cwd, 'backups'))).backups).toHaveLength(2)
  })

  it('FAILURES 23: a storage that cannot be listed is an error, not an empty list', async () => {
    const cwd = await project({ storages: { main: './not-mounted' } })
    expect(await holdfast(['list'], { cwd })).toMatchObject({ code: 6, stdout: '' })
  })

  it('FAILURES 16: a damaged manifest is named, and the exit code is 7', async () => {
    const cwd = await backedUp()
    const manifest = filesBelow(join(cwd, 'backups')).find((name) => name.endsWith('.manifest.json')) ?? ''
    writeFileSync(join(cwd, 'backups', manifest), '{')
    const ended = await holdfast(['list'], { cwd })
    expect(ended.code).toBe(7)
    expect(ended.stdout.trim().split('\n')).toHaveLength(2)
    expect(ended.stderr).toContain(`error: main: ${manifest}`)
    expect(await list(cwd)).toMatchObject({
      damaged: [{ key: manifest, error: { code: 'integrity.manifest' } }],
    })
  })
})

built.describe('show', () => {
  it('prints what is known, and with --json the manifest as it is stored', async () => {
    const cwd = await backedUp()
    const { backups } = await list(cwd, '--database', 'shop')
    const id = backups[0]?.id ?? ''
    const text = await holdfast(['show', id.slice(0, -2)], { cwd })
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(text.stdout.split('\n')[0]).toBe(id)
    expect(text.stdout).toMatch(/source +SQLite \S+, 3 tables, UTF-8/u)
    const json = documentOf(await holdfast(['show', id, '--json'], { cwd }))
    expect(json).toEqual({
      holdfast: 1,
      command: 'show',
      storage: 'main',
      manifest: JSON.parse(readFileSync(join(cwd, 'backups/shop', `${id}.manifest.json`), 'utf8')) as unknown,
    })
  })

  it('an id that is none, or that is several', async () => {
    const cwd = await backedUp()
    expect(await holdfast(['show', 'nope'], { cwd })).toMatchObject({ code: 2, stdout: '' })
    const ambiguous = await holdfast(['show', '20'], { cwd })
    expect(ambiguous.code).toBe(2)
    expect(ambiguous.stderr).toContain('[usage.backup-ambiguous]')
  })
})

built.describe('verify', () => {
  it('says that backups are whole', async () => {
    const cwd = await backedUp()
    const ended = await holdfast(['verify', '--all'], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout.match(/ whole$/gmu)).toHaveLength(2)
    expect(await holdfast(['verify', '-q'], { cwd })).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('FAILURES 16: a changed byte is found: exit 7, the others are still verified', async () => {
    const cwd = await backedUp()
    const { backups } = await list(cwd, '--database', 'shop')
    const path = join(cwd, 'backups', backups[0]?.keys[0] ?? '')
    const bytes = readFileSync(path)
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
    writeFileSync(path, bytes)
    const ended = await holdfast(['verify'], { cwd })
    expect(ended.code).toBe(7)
    expect(ended.stderr).toMatch(/\[integrity\.\w+\]/u)
    expect(ended.stdout).toMatch(/ docs +main .* whole\n1 backup of 2 did not verify\n$/u)
    const json = await holdfast(['verify', '--json'], { cwd })
    expect(json.code).toBe(7)
    expect((documentOf(json)['results'] as { ok: boolean }[]).map(({ ok }) => ok)).toEqual([true, false])
  })
})

built.describe('prune', () => {
  it('shows with --dry-run what it then removes', async () => {
    const cwd = await backedUp()
    await holdfast(['backup', 'shop', '-q'], { cwd })
    const plan = await holdfast(['prune', '--dry-run'], { cwd })
    expect(plan).toMatchObject({ code: 0, stderr: '' })
    expect(plan.stdout).toContain('2 kept, 1 would be removed')
    expect((await list(cwd)).backups).toHaveLength(3)
    const done = await holdfast(['prune', 'shop', '--json'], { cwd })
    expect(documentOf(done)).toMatchObject({
      dryRun: false,
      removed: [expect.stringMatching(/^\d{8}T/u) as string],
    })
    expect((await list(cwd)).backups).toHaveLength(2)
  })
})

built.describe('doctor', () => {
  it('says what is well', async () => {
    const cwd = await project()
    const ended = await holdfast(['doctor'], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(/✓ connector +sqlite-backup reads SQLite/u)
    const statuses = (
      documentOf(await holdfast(['doctor', '--json'], { cwd }))['checks'] as { status: string }[]
    ).map(({ status }) => status)
    expect(statuses).toContain('ok')
    expect(statuses).not.toContain('error')
  })

  it('tries a storage where no database is configured', async () => {
    const cwd = await testFolder()
    const ended = await holdfast(['doctor', '--storage', 'memory:'], { cwd })
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/promises kept/u)
    expect(await holdfast(['doctor'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no database is configured') as string,
    })
  })

  it('has the exit code of what is wrong', async () => {
    const cwd = await project({ databases: { gone: 'sqlite:./gone.sqlite3' } })
    const ended = await holdfast(['doctor'], { cwd })
    expect(ended).toMatchObject({ code: 4, stderr: '' })
    expect(ended.stdout).toMatch(/✗ connector .*gone\.sqlite3[\s\S]*1 error/u)
  })
})
